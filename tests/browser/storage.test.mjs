// Potoroo.storage: what the browser says of the room there is, and the wish to keep what is stored.
import { expect } from '/node_modules/chai/index.js';

/** Calls with another `navigator.storage`. */
async function over(storage, ask) {
  Object.defineProperty(navigator, 'storage', { value: storage, configurable: true });
  try {
    return await ask();
  } finally {
    delete navigator.storage;
  }
}

describe('Potoroo.storage', () => {
  it('tells what the browser tells', async () => {
    const { usage, quota } = await Potoroo.storage.estimate();
    expect(usage).to.be.a('number');
    expect(quota).to.be.above(usage);
    expect(await Potoroo.storage.persisted()).to.equal(await navigator.storage.persisted());
    expect(Potoroo.defaults({}).storage).to.equal(Potoroo.storage);
  });

  it('asks the browser to keep what is stored', async () => {
    // Not the browser's own, which may ask a person.
    let kept = false;
    const storage = { persist: async () => (kept = true), persisted: async () => kept };
    await over(storage, async () => {
      expect(await Potoroo.storage.persisted()).to.equal(false);
      expect(await Potoroo.storage.persist()).to.equal(true);
      expect(await Potoroo.storage.persisted()).to.equal(true);
    });
  });

  const refusing = () => {
    throw new TypeError('not for this page');
  };
  for (const [title, storage] of [
    ['is missing', undefined],
    ['has no methods', {}],
    ['refuses', { persist: async () => refusing(), persisted: refusing, estimate: async () => refusing() }],
  ]) {
    it(`says that nothing is known where navigator.storage ${title}`, async () => {
      await over(storage, async () => {
        expect(await Potoroo.storage.persist()).to.equal(false);
        expect(await Potoroo.storage.persisted()).to.equal(false);
        expect(await Potoroo.storage.estimate()).to.deep.equal({ usage: undefined, quota: undefined });
      });
    });
  }
});
