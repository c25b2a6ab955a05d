// Runs the storage conformance suite where it is imported: in the page or in a worker of conformance.mjs.
import init, { storage_conformance } from '/target/bindgen-conformance/potoroo.js';

/** Answers `[[case, null | problem]]`. `prefix` begins the names of the databases. */
export async function runConformance(adapter, prefix) {
  await init({ module_or_path: '/target/bindgen-conformance/potoroo_bg.wasm' });
  return JSON.parse(await storage_conformance(adapter, prefix));
}

// The document of a page has no use for this; a worker is asked by a message and answers by one.
if (globalThis.document === undefined) {
  globalThis.onmessage = async ({ data: { adapter, prefix } }) => {
    try {
      globalThis.postMessage({ outcomes: await runConformance(adapter, prefix) });
    } catch (error) {
      globalThis.postMessage({ error: error?.stack ?? JSON.stringify(error) });
    }
  };
  globalThis.postMessage('ready');
}
