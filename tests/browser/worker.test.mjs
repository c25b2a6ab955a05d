// The same script in a page and in a dedicated worker.
import { expect } from '/node_modules/chai/index.js';
import { basicScript } from './support/basic_script.mjs';

describe('a dedicated worker', () => {
  it('can do what a page can', async () => {
    const worker = new Worker('/tests/browser/support/worker.mjs', { type: 'module' });
    const answering = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    worker.postMessage('in-a-worker');
    const { answer, error } = await answering;
    expect(error).to.equal(undefined);
    expect(answer).to.deep.equal(await basicScript(Potoroo, 'in-a-page'));
    expect(answer).to.deep.include({ adapter: 'idb', doc_count: 3 });
    worker.terminate();
  });
});
