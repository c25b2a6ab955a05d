// An event emitter with the methods, the order of calls and the special events of Node's, without its warnings.

export type Listener = (...args: any[]) => unknown;
export type EventName = string | symbol;

interface StoredListener extends Listener {
  /** The function given to once(), by which the listener is found again. */
  listener?: Listener;
}

type Events = Record<EventName, StoredListener[] | undefined>;

/**
 * Keeps its listeners in `_events`, made at the first use: the constructor of a database may be called as a plain function,
 * and then no field initializer of a class has run. For the same reason there are no private methods here.
 * A list of listeners is never changed, only replaced: who is being called over cannot be disturbed.
 */
export class EventEmitter {
  declare _events: Events | undefined;

  on(event: EventName, listener: Listener): this {
    return add(this, event, listener, false);
  }

  addListener(event: EventName, listener: Listener): this {
    return add(this, event, listener, false);
  }

  prependListener(event: EventName, listener: Listener): this {
    return add(this, event, listener, true);
  }

  once(event: EventName, listener: Listener): this {
    return add(this, event, onceOnly(this, event, listener), false);
  }

  prependOnceListener(event: EventName, listener: Listener): this {
    return add(this, event, onceOnly(this, event, listener), true);
  }

  off(event: EventName, listener: Listener): this {
    return this.removeListener(event, listener);
  }

  removeListener(event: EventName, listener: Listener): this {
    const listeners = this._events?.[event];
    if (!this._events || !listeners) return this;
    let position = listeners.length - 1;
    while (position >= 0 && listeners[position] !== listener && listeners[position]?.listener !== listener) position -= 1;
    if (position < 0) return this;
    if (listeners.length === 1) delete this._events[event];
    else this._events[event] = listeners.filter((_, index) => index !== position);
    if (this._events.removeListener) this.emit('removeListener', event, original(listeners[position] ?? listener));
    return this;
  }

  removeAllListeners(event?: EventName): this {
    if (!this._events) return this;
    if (this._events.removeListener) {
      // Those who listen to removals hear of all the others first.
      const events = event === undefined ? this.eventNames().filter((name) => name !== 'removeListener') : [event];
      for (const name of events) {
        for (const listener of this.rawListeners(name).reverse()) this.removeListener(name, listener);
      }
    }
    if (event === undefined) this._events = noEvents();
    else delete this._events[event];
    return this;
  }

  /** Calls the listeners there are now, in their order. An 'error' that nobody listens to is thrown. */
  emit(event: EventName, ...args: unknown[]): boolean {
    const listeners = this._events?.[event];
    if (!listeners) {
      if (event === 'error') throw args[0] instanceof Error ? args[0] : unhandled(args[0]);
      return false;
    }
    for (const listener of listeners) Reflect.apply(listener, this, args);
    return true;
  }

  listeners(event: EventName): Listener[] {
    return this.rawListeners(event).map(original);
  }

  rawListeners(event: EventName): Listener[] {
    return [...(this._events?.[event] ?? [])];
  }

  listenerCount(event: EventName): number {
    return this._events?.[event]?.length ?? 0;
  }

  eventNames(): EventName[] {
    return this._events ? Reflect.ownKeys(this._events) : [];
  }

  /** There for code written for Node's emitter; no number of listeners is ever warned about. */
  setMaxListeners(_count: number): this {
    return this;
  }

  getMaxListeners(): number {
    return Infinity;
  }
}

/** The names of the methods, for objects that hand them on. */
export const emitterMethods = Object.getOwnPropertyNames(EventEmitter.prototype).filter(
  (name) => name !== 'constructor',
) as Exclude<keyof EventEmitter, '_events'>[];

function noEvents(): Events {
  return Object.create(null) as Events;
}

function original(listener: StoredListener): Listener {
  return listener.listener ?? listener;
}

function add<Emitter extends EventEmitter>(emitter: Emitter, event: EventName, listener: Listener, first: boolean): Emitter {
  if (typeof listener !== 'function') throw new TypeError('The listener must be a function');
  const events = (emitter._events ??= noEvents());
  if (events.newListener) emitter.emit('newListener', event, original(listener));
  const known = events[event] ?? [];
  events[event] = first ? [listener, ...known] : [...known, listener];
  return emitter;
}

function onceOnly(emitter: EventEmitter, event: EventName, listener: Listener): StoredListener {
  if (typeof listener !== 'function') throw new TypeError('The listener must be a function');
  let fired = false;
  const wrapper: StoredListener = (...args: unknown[]) => {
    if (fired) return undefined;
    fired = true;
    emitter.removeListener(event, wrapper);
    return Reflect.apply(listener, emitter, args);
  };
  wrapper.listener = listener;
  return wrapper;
}

function unhandled(context: unknown): Error {
  return Object.assign(new Error(`Unhandled error. (${String(context)})`), { context });
}
