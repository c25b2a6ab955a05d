// The package without the module: the app says where it is, and databases wait until it has.
import type { WasmInput } from 'virtual:wasm-glue';
import { Potoroo } from './potoroo';
import { loadWasm, provideWasm } from './wasm';

/** Gives the module (potoroo.wasm) as an address, a response, bytes or a compiled module. Resolves when it is ready. */
export async function initialize(wasm: WasmInput | Promise<WasmInput>): Promise<void> {
  provideWasm(() => wasm);
  await loadWasm();
}

export { Potoroo };
export default Potoroo;
