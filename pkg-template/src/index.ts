// The package: the wasm module is inlined, so that there is nothing to serve or to configure.
import base64 from 'virtual:wasm-base64';
import { Potoroo } from './potoroo';
import { decodeBase64, provideWasm } from './wasm';

provideWasm(() => decodeBase64(base64));

export { Potoroo };
export default Potoroo;
