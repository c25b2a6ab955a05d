// Settling conflicts with a function of the application's, as they arrive.
//
// What the function answers is written upon the winner, and the other leaves are deleted, in one commit that happens only if
// all of them are still leaves. Two devices that do so at once with the same outcome make equal revisions, which are one.
import type { Conflict } from './conflicts';
import { Conflicts } from './conflicts';
import type { Database, Doc } from './database';
import { EventEmitter } from './emitter';
import { encodeDocument } from './json';

/**
 * Gets all leaves that are not deleted, the winner first, in the same order on every device. Answers one of them, or another
 * document that takes the place of all; nothing leaves the conflict as it is.
 */
export type Resolve = (leaves: Doc[]) => unknown;

/** One document's conflict was settled, or was not because the function threw. */
export interface Resolution {
  id: string;
  rev?: string;
  leaves: string[];
  error?: unknown;
}

/** A document that was settled so often in that time comes back: another device may decide otherwise each time. */
const OFTEN = 3;
const LATELY_MS = 10 * 60_000;
const LONGEST_PAUSE_MS = 60_000;

/** When a document was settled lately, and from when on it may be again. */
interface History {
  times: number[];
  next: number;
}

/** Events: 'resolved' with a Resolution; 'error' where conflicts can't be read any more. */
export class Resolver extends EventEmitter {
  private readonly _feed: Conflicts;
  private readonly _due = new Map<string, Conflict>();
  private readonly _settled = new Map<string, History>();
  private readonly _timers = new Set<ReturnType<typeof setTimeout>>();
  private _work: Promise<void> | undefined;
  private _isOver = false;

  constructor(
    private readonly _db: Database,
    private readonly _resolve: Resolve,
    live: boolean,
  ) {
    super();
    this._feed = new Conflicts(_db, { live });
    this._feed.on('change', (conflict: Conflict) => this._take(conflict));
    this._feed.on('error', (error: unknown) => this.listenerCount('error') > 0 && this.emit('error', error));
  }

  /** When what there was when it began, or was found since, has been looked at. */
  async done(): Promise<void> {
    await this._feed.then(undefined, () => {});
    while (this._work) await this._work;
  }

  cancel(): void {
    this._isOver = true;
    this._feed.cancel();
    this._due.clear();
    for (const timer of this._timers) clearTimeout(timer);
  }

  private _take(conflict: Conflict): void {
    if (conflict.conflicts.length === 0) this._due.delete(conflict.id);
    else this._due.set(conflict.id, conflict);
    this._work ??= this._settleAll().finally(() => {
      this._work = undefined;
    });
  }

  /** After the turn in which they were found, so that those of one batch are settled together. */
  private async _settleAll(): Promise<void> {
    await Promise.resolve();
    while (this._due.size > 0) {
      const due = [...this._due.values()].filter((conflict) => !this._putsOff(conflict));
      this._due.clear();
      await Promise.all(due.map((conflict) => this._settle(conflict)));
    }
  }

  /**
   * Whether it has to wait, because the document comes back again and again: for a time that is never the same, so that one
   * device settles it and the other hears of that before its own time has come.
   */
  private _putsOff(conflict: Conflict): boolean {
    const pause = (this._settled.get(conflict.id)?.next ?? 0) - Date.now();
    if (pause <= 0) return false;
    const timer = setTimeout(() => {
      this._timers.delete(timer);
      this._take(conflict);
    }, pause);
    this._timers.add(timer);
    return true;
  }

  private _note(id: string): void {
    const now = Date.now();
    const times = [...(this._settled.get(id)?.times ?? []).filter((time) => now - time < LATELY_MS), now];
    const again = times.length - OFTEN;
    const pause = again < 0 ? 0 : Math.random() * Math.min(4000 * 2 ** again, LONGEST_PAUSE_MS);
    this._settled.set(id, { times, next: now + pause });
  }

  /** Reads the document anew: it may have been settled meanwhile. */
  private async _settle({ id }: Conflict): Promise<void> {
    let revs: string[] = [];
    try {
      const leaves = await this._leavesOf(id);
      if (leaves.length < 2) return;
      revs = leaves.map(({ _rev }) => String(_rev));
      // Copies, because it may change what it gets.
      const answer = await this._resolve(JSON.parse(encodeDocument(leaves)) as Doc[]);
      if (typeof answer !== 'object' || answer === null) return;
      const writes = writesFor(leaves, answer as Doc);
      const results = (await this._db.bulkDocs(writes, { atomic: true })) as { rev?: string }[];
      this._note(id);
      this._tell({ id, leaves: revs, rev: writes.length < leaves.length ? revs[0]! : String(results.at(-1)?.rev) });
    } catch (error) {
      // At a 409 somebody else has written to the document; if there is a conflict still, it is found again.
      if ((error as { status?: number }).status !== 409 && !this._isOver) this._tell({ id, leaves: revs, error });
    }
  }

  private async _leavesOf(id: string): Promise<Doc[]> {
    try {
      const winner = (await this._db.get(id, { conflicts: true })) as Doc;
      const { _conflicts: others = [], ...rest } = winner;
      return [rest, ...(await Promise.all((others as string[]).sort(byRank).map((rev) => this._db.get(id, { rev }) as Promise<Doc>)))];
    } catch (error) {
      // Deleted, or purged, meanwhile.
      if ((error as { status?: number }).status === 404) return [];
      throw error;
    }
  }

  private _tell(resolution: Resolution): void {
    try {
      this.emit('resolved', resolution);
    } catch (error) {
      console.error('Error in .on("resolved", function):', error);
    }
  }
}

/** The deletions, and behind them what takes the place of the winner, unless that is the winner as it is. */
function writesFor([winner, ...others]: Doc[], answer: Doc): Doc[] {
  const writes: Doc[] = others.map(({ _id, _rev }) => ({ _id, _rev, _deleted: true }));
  const content = contentOf(answer);
  // Ids always at the same place: members in another order make another revision.
  const { _id, _rev } = winner!;
  if (encodeDocument(content) !== encodeDocument(contentOf(winner!))) writes.push({ ...content, _id, _rev });
  return writes;
}

function contentOf({ _id, _rev, _conflicts, _revisions, ...content }: Doc): Doc {
  return content;
}

/** Greater generations first, then greater hashes: the order in which leaves win. */
function byRank(left: string, right: string): number {
  const [a, b] = [parseInt(left, 10), parseInt(right, 10)];
  return b - a || (left < right ? 1 : left > right ? -1 : 0);
}
