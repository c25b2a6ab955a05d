// The wasm module, loaded at the first database and not before: importing the package has no side effect.
import initialize, * as glue from 'virtual:wasm-glue';
import type { WasmInput } from 'virtual:wasm-glue';

export type Wasm = typeof glue;

/** Gives what the module is compiled from. */
type Source = () => WasmInput | Promise<WasmInput>;

let provide: (source: Source) => void;
const source = new Promise<Source>((resolve) => {
  provide = resolve;
});
let compiling: Promise<WebAssembly.Module> | undefined;
let loading: Promise<Wasm> | undefined;

/** Says where the module comes from. The first answer counts; databases opened earlier have waited for it. */
export function provideWasm(from: Source): void {
  provide(from);
}

/** The module, compiled once for this thread and the worker. A failure (offline, with the slim build) is not the last word. */
export function loadModule(): Promise<WebAssembly.Module> {
  compiling ??= source
    .then((from) => glue.compile(from()))
    .catch((error: unknown) => {
      compiling = undefined;
      throw error;
    });
  return compiling;
}

/** The module's exports, working on this thread. */
export function loadWasm(): Promise<Wasm> {
  loading ??= loadModule()
    .then(async (module) => {
      await initialize(module);
      return glue;
    })
    .catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
  return loading;
}

/** Decodes at once where the browser can; letter by letter takes six times as long for the whole module. */
type BytesFromBase64 = { fromBase64?(base64: string): Uint8Array<ArrayBuffer> };

/** The bytes of an inlined module. */
export function decodeBase64(base64: string): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as BytesFromBase64;
  if (fromBase64) return fromBase64.call(Uint8Array, base64);
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
