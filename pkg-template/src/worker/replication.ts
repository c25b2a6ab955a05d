// A replication that runs in the worker, with the members of the core's own class.
import type { Connection, WorkerEnded } from './connection';
import { WorkerLocal } from './local';
import { SERVER } from './protocol';
import type { RemoteSide, Side } from './protocol';

/** A database that is open in the worker, or what it takes to reach one behind HTTP. */
export type WorkerSide = WorkerLocal | RemoteSide;

export interface ReplicationListener {
  /** `wanted` as in protocol.ts. */
  onEvent(event: string, payload: string | undefined, wanted: boolean): void;
  /** The worker has ended after the replication had begun. */
  onLost(error: WorkerEnded): void;
}

export class WorkerReplication {
  private constructor(
    private readonly _connection: Connection,
    private readonly _number: number,
  ) {}

  /** Resolves when it has begun. `events` are those that somebody listens to. */
  static async start(
    sides: [source: WorkerSide, target: WorkerSide],
    options: string,
    events: string[],
    listener: ReplicationListener,
  ): Promise<WorkerReplication> {
    const places = await Promise.all(sides.map((side) => (side instanceof WorkerLocal ? side.place() : undefined)));
    // The worker of one has ended before the other one was found: both are in the next.
    if (places.some((place) => place && !place.connection.isAlive())) return this.start(sides, options, events, listener);
    const { connection } = places.find((place) => place !== undefined)!;
    let hasBegun = false;
    const number = connection.add({
      onEvent(event, payload, wanted) {
        if (event === 'complete' || event === 'error') connection.remove(number);
        listener.onEvent(event, payload as string | undefined, wanted);
      },
      onLost: (error) => {
        if (hasBegun) listener.onLost(error);
      },
    });
    const [from, to] = sides.map((side, index) => places[index]?.number ?? side) as [Side, Side];
    try {
      await connection.call(SERVER, 'replicate', number, from, to, options, events);
    } catch (error) {
      connection.remove(number);
      throw error;
    }
    hasBegun = true;
    return new WorkerReplication(connection, number);
  }

  cancel(): void {
    this._connection.tell(this._number, 'cancel');
  }

  /** With an answer, so that a worker that has ended without a word is found out. */
  wake(): void {
    this._connection.call(this._number, 'wake').catch(() => {});
  }

  /** Nothing is heard of it any more. */
  halt(): void {
    this._connection.tell(this._number, 'halt');
    this._connection.remove(this._number);
  }

  /** To which events somebody listens from now on. */
  listen(events: string[]): void {
    this._connection.tell(this._number, 'listen', events);
  }
}
