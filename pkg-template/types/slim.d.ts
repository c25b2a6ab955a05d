// The package without the wasm module inlined: `potoroo/slim` and `potoroo/potoroo.wasm`.
import Potoroo from './index.js';

/** What the module can be made of. */
export type WasmInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

/** Says where the module is. Databases opened before wait until it is there. */
export function initialize(wasm: WasmInput | Promise<WasmInput>): Promise<void>;

export { Potoroo };
export default Potoroo;
