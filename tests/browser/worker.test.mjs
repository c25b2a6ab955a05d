// The same script in a page and in a dedicated worker of the application.
import { expect } from '/node_modules/chai/index.js';
import { basicScript } from './support/basic_script.mjs';

describe('a dedicated worker', () => {
  for (const [title, options] of [['can do what a page can', {}], ['can have the package’s worker, too', { worker: true }]]) {
    it(title, async () => {
      const worker = new Worker('/tests/browser/support/worker.mjs', { type: 'module' });
      const answering = new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });
      worker.postMessage(['in-a-worker', options]);
      const { answer, runsInWorker, error } = await answering;
      expect(error).to.equal(undefined);
      expect(answer).to.deep.equal(await basicScript(Potoroo, 'in-a-page'));
      expect(answer).to.deep.include({ adapter: 'idb', doc_count: 3 });
      expect(runsInWorker).to.equal(options.worker);
      worker.terminate();
    });
  }
});
