// What belongs to this browser alone: local documents are never replicated.
const id = '_local/board-settings';

/** The remotes and the offline switch as they were left, or what a first visit starts with. */
export async function readSettings(db) {
  try {
    const { remotes, workOffline, knownOffer } = await db.get(id);
    return { remotes, workOffline, knownOffer };
  } catch (error) {
    if (error.status !== 404) throw error;
    return { remotes: [], workOffline: false, knownOffer: undefined };
  }
}

/** Writes in the order of the calls; another tab may have written meanwhile, then this one counts. */
let tail = Promise.resolve();
export function writeSettings(db, settings) {
  const write = async () => {
    for (;;) {
      const current = await db.get(id).catch((error) => {
        if (error.status !== 404) throw error;
        return { _id: id };
      });
      try {
        return await db.put({ ...current, ...settings });
      } catch (error) {
        if (error.status !== 409) throw error;
      }
    }
  };
  tail = tail.then(write, write);
  return tail;
}
