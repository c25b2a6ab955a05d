export type Listener = (...args: any[]) => unknown;

/** Listeners by the names of events, with their arguments. */
export type EventMap = Record<string, any[]>;

/** An emitter whose known events have typed listeners; others are allowed, for plugins have their own. */
export interface EventEmitter<Events extends EventMap = {}> {
  on<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => unknown): this;
  on(event: string | symbol, listener: Listener): this;
  addListener<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => unknown): this;
  addListener(event: string | symbol, listener: Listener): this;
  once<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => unknown): this;
  once(event: string | symbol, listener: Listener): this;
  prependListener<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => unknown): this;
  prependListener(event: string | symbol, listener: Listener): this;
  prependOnceListener<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => unknown): this;
  prependOnceListener(event: string | symbol, listener: Listener): this;
  off(event: string | symbol, listener: Listener): this;
  removeListener(event: string | symbol, listener: Listener): this;
  removeAllListeners(event?: string | symbol): this;
  emit(event: string | symbol, ...args: any[]): boolean;
  listeners(event: string | symbol): Listener[];
  rawListeners(event: string | symbol): Listener[];
  listenerCount(event: string | symbol): number;
  eventNames(): (string | symbol)[];
  setMaxListeners(count: number): this;
  getMaxListeners(): number;
}

/** What can be awaited; not a whole promise. */
export type Thenable<Result> = Pick<Promise<Result>, 'then' | 'catch'>;
