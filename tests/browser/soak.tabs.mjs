// A bad network for half a minute; tests/soak.mjs has it for an hour.
import { soak } from '../support/soak.mjs';

export const cases = [
  {
    title: 'nothing is lost and nobody stops where the network is bad',
    only: 'chromium',
    // It has limits of its own for each time that somebody has to come back, and says who did not.
    limit: 8 * 60_000,
    async run({ open, couch, name }) {
      await soak({ open: () => open('/empty.html'), couch, seconds: 25, seed: 1, log: () => {}, name });
    },
  },
];
