// One tab replicates for all of the origin. The elected one runs the core and tells the others its events; they wait to be
// elected, and look from time to time whether it is still there.
import { Election } from './election';
import { eventsOf, isPassed } from './messages';
import type { Message } from './messages';

export { sharedName } from './key';

/** How often a page that is looked at makes sure that somebody replicates. */
const LOOK_MS = 5000;
/** So many questions without an answer, and the elected one is taken for dead: stopped, or frozen without a word. */
const PATIENCE = 2;

/** A tab's part in it. */
export interface Part {
  /** Replicates from now on. `isFirst`: nobody seems to have done it before. */
  run(isFirst: boolean): void;
  /** Replicates no longer, at once and without a word. */
  halt(): void;
  /** Tries again at once. */
  wake(): void;
  /** Another tab's replication has told this. */
  hear(event: string, payload: string | undefined, wanted: boolean): void;
  /** To what somebody listens here. */
  wants(): string[];
  /** Others listen to something else than before. */
  listen(): void;
}

export class SharedReplication {
  private readonly _election: Election;
  private readonly _self = Math.random().toString(36).slice(2);
  private _channel: BroadcastChannel | undefined;
  private _timer: ReturnType<typeof setInterval> | undefined;
  private _unanswered = 0;
  /** Where the browser elects nobody. */
  private _isAlone = false;
  private _isFirst = true;
  private _status: string | undefined;
  /** Whether what others missed is known here. */
  private _isInformed = false;
  private readonly _wanted = new Map<string, string[]>();

  constructor(
    private readonly _name: string,
    private readonly _part: Part,
  ) {
    this._election = new Election(_name, {
      elected: () => this._begin(),
      deposed: () => this._step(),
      failed: () => this._goAlone(),
    });
    this._join();
  }

  /** The events that other tabs listen to, as far as this one replicates for them. */
  wanted(): string[] {
    return [...this._wanted.values()].flat();
  }

  /** Tells the others what the core has told here. */
  tell(event: string, payload: string | undefined, wanted: boolean): void {
    if (!isPassed(event, payload)) return;
    if (event === 'status') this._status = payload;
    if (this._election.isElected) this._say({ type: 'event', event, payload, wanted });
  }

  /** Somebody began or ceased to listen here. */
  listen(): void {
    if (!this._election.isElected) this._look();
  }

  /** The network may be back, or the page is looked at, or has slept. */
  wake(): void {
    if (!this._channel) return this._join();
    if (this._election.isElected) return;
    this._unanswered = 0;
    this._say({ type: 'wake' });
    this._look();
  }

  /** The page goes to sleep: another one may be elected, and nothing may keep this one from sleeping. */
  sleep(): void {
    if (this._isRunning) this._part.halt();
    this._isAlone = false;
    this.leave();
  }

  /** For good, or until it joins again. */
  leave(): void {
    this._say({ type: 'bye', from: this._self });
    clearInterval(this._timer);
    this._election.withdraw();
    this._channel?.close();
    this._channel = undefined;
    this._wanted.clear();
  }

  private get _isRunning(): boolean {
    return this._isAlone || this._election.isElected;
  }

  private _join(): void {
    this._channel = new BroadcastChannel(this._name);
    this._channel.onmessage = ({ data }: MessageEvent<Message>) => this._hear(data);
    this._election.stand();
    this._wait();
  }

  private _wait(): void {
    this._isInformed = false;
    this._unanswered = 0;
    clearInterval(this._timer);
    this._timer = setInterval(() => this._watch(), LOOK_MS);
    this._look();
  }

  /** In a hidden page timers are late, and nobody waits for what it shows. */
  private _watch(): void {
    if (this._isRunning || globalThis.document?.visibilityState === 'hidden') return;
    if (this._unanswered > PATIENCE) this._goAlone();
    else if (this._unanswered === PATIENCE) {
      this._isFirst = false;
      this._election.take();
    }
    this._look();
  }

  private _look(): void {
    this._unanswered += 1;
    this._say({ type: 'ask', from: this._self, wants: this._part.wants() });
  }

  private _begin(): void {
    clearInterval(this._timer);
    this._wanted.clear();
    this._status = undefined;
    this._say({ type: 'elected' });
    if (this._isAlone) this._isAlone = false;
    else this._part.run(this._isFirst);
    this._isFirst = false;
  }

  /** Another one has taken its place, because this page did not answer for a while, or was not heard while this one went alone. */
  private _step(): void {
    this._part.halt();
    this._isAlone = false;
    this._election.withdraw();
    this._election.stand();
    this._wait();
  }

  private _goAlone(): void {
    if (this._isRunning) return;
    clearInterval(this._timer);
    this._isAlone = true;
    this._part.run(this._isFirst);
    this._isFirst = false;
  }

  private _hear(message: Message): void {
    if (message.type === 'elected' || message.type === 'state' || message.type === 'event') {
      this._unanswered = 0;
      this._isFirst = false;
      if (this._isAlone) this._step();
      // One that has been deposed does not know it yet.
      if (!this._isRunning) this._hearElected(message);
    } else if (this._election.isElected) {
      if (message.type === 'wake') this._part.wake();
      else if (message.type === 'bye') this._wanted.delete(message.from);
      else {
        const before = this._wanted.get(message.from);
        this._wanted.set(message.from, message.wants);
        if (String(before) !== String(message.wants)) this._part.listen();
        this._say({ type: 'state', status: this._status });
      }
    }
  }

  private _hearElected(message: Message & { type: 'elected' | 'state' | 'event' }): void {
    if (message.type === 'event') return this._part.hear(message.event, message.payload, message.wanted);
    const isInformed = this._isInformed;
    this._isInformed = true;
    // Everything that it will tell is heard, and it does not know yet who listens to what.
    if (message.type === 'elected') return this._look();
    const { status } = message;
    if (isInformed || status === undefined) return;
    this._part.hear('status', status, true);
    for (const [event, payload] of eventsOf(status)) this._part.hear(event, payload, true);
  }

  private _say(message: Message): void {
    this._channel?.postMessage(message);
  }
}
