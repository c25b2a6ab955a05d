// What the sources import as `virtual:wasm-glue`: wasm-bindgen's JavaScript, and the way from what is given to a module.
//
// The inlined module is compressed. Base64 of the module itself would hardly compress on the way to the browser, because
// repetitions in it no longer line up with its characters. Compressed first, the script is less than half as long, and
// smaller over the wire as well.
import instantiate from 'virtual:wasm-bindgen';

export * from 'virtual:wasm-bindgen';

/** Makes the exports work on this thread. */
export default function initialize(module) {
  return instantiate({ module_or_path: module });
}

/** The module, which can be instantiated on several threads. */
export async function compile(given) {
  let input = await given;
  // By its tag: it may come from another frame.
  if (Object.prototype.toString.call(input) === '[object WebAssembly.Module]') return input;
  if (isCompressed(input)) input = decompress(input);
  else if (typeof input === 'string' || input instanceof URL || input instanceof Request) input = await fetch(input);
  return input instanceof Response ? compileResponse(input) : WebAssembly.compile(input);
}

async function compileResponse(response) {
  if (!response.ok) throw new Error(`cannot load the WebAssembly module: ${response.status} ${response.statusText} from ${response.url}`);
  // Browsers compile while they download, but only what is served as WebAssembly.
  const streams = response.headers.get('content-type') === 'application/wasm' && WebAssembly.compileStreaming;
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

function isCompressed(input) {
  return input instanceof Uint8Array && input[0] === 0x1f && input[1] === 0x8b;
}

// A response rather than bytes lets the browser compile while it decompresses. The stream is of one piece: a Blob's would come
// from another process.
function decompress(bytes) {
  const given = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  const module = given.pipeThrough(new DecompressionStream('gzip'));
  return new Response(module, { headers: { 'content-type': 'application/wasm' } });
}
