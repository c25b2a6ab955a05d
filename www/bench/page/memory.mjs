// What a page's memory is, as far as the browser tells.

const memories = new Set();

/** Notes every WebAssembly memory the page gets from now on; to be called before any contestant's script is loaded. */
export function watchWasmMemory() {
  const note = (instance) => {
    for (const exported of Object.values(instance.exports)) if (exported instanceof WebAssembly.Memory) memories.add(exported);
  };
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...given) => {
      const result = await original.apply(WebAssembly, given);
      note(result.instance ?? result);
      return result;
    };
  }
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(target, given) {
      const instance = new target(...given);
      note(instance);
      return instance;
    },
  });
}

/** Bytes of all WebAssembly memories; null if there is none. */
function wasmBytes() {
  if (memories.size === 0) return null;
  return [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}

/**
 * `{page, wasm}` in bytes, `wasm` being part of `page`. What Chromium tells leaves the WebAssembly memory out, so it is added:
 * an isolated page is told all the rest after a collection of garbage, other pages the JavaScript heap as it happens to be.
 * Other browsers tell nothing: null.
 */
export async function measureMemory() {
  const wasm = wasmBytes();
  const rest = await restOfMemory();
  return { page: rest === null ? null : rest + (wasm ?? 0), wasm };
}

async function restOfMemory() {
  if (globalThis.crossOriginIsolated && performance.measureUserAgentSpecificMemory) {
    return (await performance.measureUserAgentSpecificMemory()).bytes;
  }
  return performance.memory?.usedJSHeapSize ?? null;
}
