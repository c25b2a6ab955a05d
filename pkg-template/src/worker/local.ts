// A database that runs in the worker, with the members of the core's own class.
import type { Answer, Content, Local } from 'virtual:wasm-glue';
import type { Connection } from './connection';
import { connect } from './host';
import { SERVER } from './protocol';
import type { Opened } from './protocol';

type OnEvent = Parameters<Local['on_event']>[0];

/** Where the database is in a worker that lives. */
interface Place {
  connection: Connection;
  number: number;
}

/** A worker that ends sooner than this may do so again; nobody starts the next one unasked. */
const LIFE_MS = 10_000;

export class WorkerLocal implements Omit<Local, 'peer' | 'free'> {
  private _place: Place | undefined;
  private _placing: Promise<Place> | undefined;
  private _opened: Opened | undefined;
  private _placedAt = 0;
  private _end: 'closed' | 'destroyed' | undefined;
  private _onEvent: OnEvent | undefined;

  private constructor(
    private readonly _name: string,
    private readonly _options: string,
    private readonly _before: string | undefined,
  ) {}

  /** Rejects where there can be no worker, or where it can't open the database. */
  static async open(name: string, options: string, before?: string): Promise<WorkerLocal> {
    const local = new WorkerLocal(name, options, before);
    await local.place();
    return local;
  }

  get adapter(): string {
    return this._opened!.adapter;
  }

  get(id: string, options: string): Promise<Answer> {
    return this._call('get', id, options);
  }

  get_attachment(id: string, name: string, options: string): Promise<[Content, string | undefined]> {
    return this._call('get_attachment', id, name, options);
  }

  bulk_get(request: string): Promise<Answer> {
    return this._call('bulk_get', request);
  }

  bulk_docs(docs: string, options: string, contents?: Content[]): Promise<string> {
    return this._call('bulk_docs', docs, options, contents);
  }

  adoption_mark(): Promise<string | undefined> {
    return this._call('adoption_mark');
  }

  adopt(piece: string, contents?: Content[]): Promise<string | undefined> {
    return this._call('adopt', piece, contents);
  }

  all_docs(options: string): Promise<Answer> {
    return this._call('all_docs', options);
  }

  changes(options: string): Promise<Answer> {
    return this._call('changes', options);
  }

  conflicts(options: string): Promise<string> {
    return this._call('conflicts', options);
  }

  revs_diff(request: string): Promise<string> {
    return this._call('revs_diff', request);
  }

  known_contents(digests: string): Promise<string> {
    return this._call('known_contents', digests);
  }

  begin_compaction(): Promise<string> {
    return this._call('begin_compaction');
  }

  compact_further(step: string): Promise<string> {
    return this._call('compact_further', step);
  }

  compact_document(id: string, maxHeight: number): Promise<void> {
    return this._call('compact_document', id, maxHeight);
  }

  purge(id: string, rev: string): Promise<string> {
    return this._call('purge', id, rev);
  }

  info(): Promise<string> {
    return this._call('info');
  }

  id(): Promise<string> {
    return this._call('id');
  }

  check(): Promise<string> {
    return this._call('check');
  }

  refresh(): Promise<void> {
    return this._call('refresh');
  }

  /** Of everything, in any case: no browser ends a worker that is kept together with its page and is in the way of others. */
  suspend(): void {
    this._place?.connection.tell(this._place.number, 'suspend', true);
  }

  resume(): Promise<void> {
    return this._call('resume');
  }

  on_event(callback: OnEvent): void {
    this._onEvent = callback;
  }

  /** Waits for what was called before. Without a worker there is nothing to close. */
  async close(): Promise<void> {
    const place = this._leave('closed');
    if (place) await finish(place, 'close').catch((error: unknown) => rethrowIfAlive(place, error));
  }

  async destroy(): Promise<void> {
    await this.place();
    // Twice at once.
    const place = this._end ? undefined : this._leave('destroyed');
    if (!place) throw endedError(this._end!);
    try {
      await finish(place, 'destroy');
    } catch (error) {
      // Where the worker has ended nobody knows what has become of it: the next call looks.
      this._end = place.connection.isAlive() ? 'closed' : undefined;
      throw error;
    }
  }

  /** Where it is; opens it again where the worker has ended. */
  place(): Promise<Place> {
    if (this._end) return Promise.reject(endedError(this._end));
    if (this._place) return Promise.resolve(this._place);
    this._placing ??= this._open().finally(() => {
      this._placing = undefined;
    });
    return this._placing;
  }

  private async _open(): Promise<Place> {
    const connection = await connect();
    const number = connection.add({
      onEvent: (event, payload) => this._hear(event, payload),
      onLost: () => this._lose(),
    });
    const place = { connection, number };
    const before = this._opened;
    try {
      this._opened = (await connection.call(SERVER, 'open', number, this._name, this._options, this._before)) as Opened;
    } catch (error) {
      connection.remove(number);
      throw error;
    }
    if (before && before.id !== this._opened.id) this._hear('destroyed', undefined);
    if (this._end) {
      // Meanwhile closed, or another one was made under its name.
      finish(place, 'close').catch(() => {});
      throw endedError(this._end);
    }
    this._place = place;
    this._placedAt = Date.now();
    // Nobody has told of what other tabs did meanwhile.
    if (before) this._onEvent?.('change');
    return place;
  }

  /** In one turn with the look whether it is there: calls are sent in the order in which they are made. */
  private _call<Result>(method: string, ...args: unknown[]): Promise<Result> {
    const call = ({ connection, number }: Place) => connection.call(number, method, ...args) as Promise<Result>;
    return this._place ? call(this._place) : this.place().then(call);
  }

  private _hear(event: string, payload: unknown): void {
    if (this._end === 'closed') return;
    if (event !== 'change') {
      const place = this._leave(event as 'closed' | 'destroyed');
      if (place) finish(place, 'close').catch(() => {});
    }
    this._onEvent?.(event as 'change', payload as number | undefined);
  }

  private _leave(end: 'closed' | 'destroyed'): Place | undefined {
    const place = this._place;
    this._place = undefined;
    this._end = end;
    return place;
  }

  /** Who only listens makes no call that would bring the database back. */
  private _lose(): void {
    const hasLived = this._place && Date.now() - this._placedAt > LIFE_MS;
    this._place = undefined;
    if (hasLived) this.place().catch(() => {});
  }
}

/** The last call of an object. */
async function finish({ connection, number }: Place, method: 'close' | 'destroy'): Promise<void> {
  try {
    await connection.call(number, method);
  } finally {
    connection.remove(number);
  }
}

function rethrowIfAlive({ connection }: Place, error: unknown): void {
  if (connection.isAlive()) throw error;
}

const endedError = (end: 'closed' | 'destroyed') => ({ name: 'Error', message: `database is ${end}` });
