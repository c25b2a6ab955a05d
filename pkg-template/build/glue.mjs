// What the sources import as `virtual:wasm-glue`: wasm-bindgen's JavaScript, able to read the module as it is inlined.
//
// Base64 of the module itself would hardly compress on the way to the browser, because repetitions in it no longer line
// up with its characters. Compressed first, the script is less than half as long, and smaller over the wire as well.
import instantiate from 'virtual:wasm-bindgen';

export * from 'virtual:wasm-bindgen';

export default async function initialize({ module_or_path: given }) {
  const module = await given;
  await instantiate({ module_or_path: isCompressed(module) ? decompress(module) : module });
}

function isCompressed(module) {
  return module instanceof Uint8Array && module[0] === 0x1f && module[1] === 0x8b;
}

// A response rather than bytes lets the browser compile while it decompresses.
function decompress(bytes) {
  const module = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(module, { headers: { 'content-type': 'application/wasm' } });
}
