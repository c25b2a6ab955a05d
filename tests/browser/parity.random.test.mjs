// The same random programs of calls on both: the same answers, trees, winners, revisions and feeds.
import { firstDifference, programFrom, shrink } from './support/programs.mjs';

const { seed: firstSeed = 1, rounds = 120 } = globalThis.testSettings;
const PER_TEST = 20;

describe(`random programs as in PouchDB, seeds from ${firstSeed}`, () => {
  for (let from = firstSeed; from < firstSeed + rounds; from += PER_TEST) {
    const end = Math.min(from + PER_TEST, firstSeed + rounds);
    it(`seeds ${from} to ${end - 1}`, async () => {
      for (let seed = from; seed < end; seed += 1) {
        const program = programFrom(seed);
        if (!(await firstDifference(program))) continue;
        const short = await shrink(program);
        const { call, found } = (await firstDifference(short)) ?? { found: ['it does not fail any more'] };
        throw new Error(`seed ${seed}: ${JSON.stringify(short)}\nat ${JSON.stringify(call)}\n${found.join('\n')}`);
      }
    }).timeout(120_000);
  }
});
