// Which of PouchDB's databases have been taken over, so that one that was destroyed afterwards does not come back.
import { answerOf, openExisting } from './requests';

const NAME = 'potoroo-taken-over';
const STORE = 'databases';

/** What is noted of a database without an identity. */
const nobody = '';

export async function isTaken(name: string, instance: string | undefined): Promise<boolean> {
  const database = await openExisting(NAME);
  if (!database) return false;
  try {
    const noted: unknown = await answerOf(database.transaction(STORE).objectStore(STORE).get(name));
    return noted === (instance ?? nobody);
  } finally {
    database.close();
  }
}

export async function noteTaken(name: string, instance: string | undefined): Promise<void> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  const database = await answerOf(request);
  try {
    await answerOf(database.transaction(STORE, 'readwrite').objectStore(STORE).put(instance ?? nobody, name));
  } finally {
    database.close();
  }
}
