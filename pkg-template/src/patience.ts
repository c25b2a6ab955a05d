// Says for whom an application waits, where the browser holds up opening or destroying a database: as long as somebody
// else keeps a connection open, IndexedDB deletes nothing, and opens nothing that is to be deleted.
import type { Database } from './database';

/** In milliseconds; well above what either takes where nobody is in the way. */
const PATIENCE = 3000;

export type Blocked = 'open' | 'destroy';

/** Answers `done`, whenever that is; emits `blocked` and writes to the console if it takes long. */
export function tellIfBlocked<Result>(db: Database, what: Blocked, done: Promise<Result>): Promise<Result> {
  if (db._remote) return done;
  const timer = setTimeout(() => {
    const doing = what === 'open' ? 'opened' : 'destroyed';
    console.warn(
      `The database ${db.name} waits to be ${doing}: something else may have it open and does not let go of it, ` +
        'such as a script of this site in any tab that does not listen to "versionchange". Once that is closed it goes on.',
    );
    db.emit('blocked', what);
  }, PATIENCE);
  return done.finally(() => clearTimeout(timer));
}
