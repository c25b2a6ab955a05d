// How many bytes an origin takes on disk.
import { sleep } from './timing.mjs';

const SAME_READINGS = 4;
const MOST_READINGS = 60;

/**
 * Bytes the browser counts for this origin, once they stay the same from one pause to the next: it goes on writing and merging
 * files for a while after the last transaction. Null where it does not tell.
 */
export async function settledUsage(pauseMs) {
  if (!navigator.storage?.estimate) return null;
  let last;
  let same = 0;
  for (let reading = 0; reading < MOST_READINGS && same < SAME_READINGS; reading += 1) {
    const { usage, usageDetails } = await navigator.storage.estimate();
    const now = usageDetails?.indexedDB ?? usage;
    same = now === last ? same + 1 : 1;
    last = now;
    await sleep(pauseMs);
  }
  return last;
}
