// A dedicated worker that runs the basic script.
import Potoroo from '/pkg/dist/potoroo.mjs';
import { basicScript } from './basic_script.mjs';

addEventListener('message', async ({ data: [name, options] }) => {
  try {
    const answer = await basicScript(Potoroo.defaults(options), name);
    const db = new Potoroo(name, options);
    const { worker: runsInWorker } = await db.info();
    await db.destroy();
    postMessage({ answer, runsInWorker });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
});
