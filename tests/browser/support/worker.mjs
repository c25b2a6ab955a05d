// A dedicated worker that runs the basic script.
import Potoroo from '/pkg/dist/potoroo.mjs';
import { basicScript } from './basic_script.mjs';

addEventListener('message', async ({ data: name }) => {
  try {
    postMessage({ answer: await basicScript(Potoroo, name) });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
});
