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
 * `{page, wasm}` in bytes. `page` is all of it, WebAssembly included. An isolated page is told exactly, after a collection of
 * garbage; elsewhere Chromium tells the JavaScript heap, to which the WebAssembly memory is added, and other browsers tell
 * nothing: null.
 */
export async function measureMemory() {
  const wasm = wasmBytes();
  if (globalThis.crossOriginIsolated && performance.measureUserAgentSpecificMemory) {
    const measured = await performance.measureUserAgentSpecificMemory();
    globalThis.lastMemory = measured;
    return { page: measured.bytes, wasm };
  }
  if (!performance.memory) return { page: null, wasm };
  return { page: performance.memory.usedJSHeapSize + (wasm ?? 0), wasm };
}
