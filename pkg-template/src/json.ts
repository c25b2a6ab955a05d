// Documents and options on their way to the core: one JSON text each. JSON.stringify also gives the copy PouchDB makes of
// its arguments: dates become ISO strings, `undefined` is dropped, proxies are flattened, the caller's object stays as it is.
import { copyOf, isBinary } from './binary';
import { NOT_AN_OBJECT, createError, notJson } from './errors';

/** The JSON text of a document or a list of them. Cyclic objects and BigInt have none and are refused. */
export function encodeDocument(document: object): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(document);
  } catch (error) {
    throw notJson((error as Error).message);
  }
  if (text === undefined) throw createError(NOT_AN_OBJECT);
  return text;
}

/** Whether a text has no half of a surrogate pair alone: in the core there is no such text. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Which options the core knows, by how they are read: users give 1 for true, and `false` for no limit. */
export interface KnownOptions {
  flags?: readonly string[];
  /** Whole numbers; anything but a number is as good as nothing. */
  numbers?: readonly string[];
  /** Passed on as they are, unless null. */
  others?: readonly string[];
}

/** The JSON text of those options that the core knows; anything else in the object may be no JSON at all. */
export function encodeOptions(options: object, { flags = [], numbers = [], others = [] }: KnownOptions): string {
  const given = options as Record<string, unknown>;
  const picked: Record<string, unknown> = {};
  for (const name of flags) if (given[name] !== undefined) picked[name] = Boolean(given[name]);
  for (const name of numbers) if (typeof given[name] === 'number') picked[name] = Math.trunc(given[name]);
  for (const name of others) if (given[name] !== undefined && given[name] !== null) picked[name] = given[name];
  return JSON.stringify(picked);
}

/**
 * A copy as PouchDB makes of what it is called with: plain objects and arrays are copied deeply, and buffers, dates become ISO strings,
 * `undefined` members are left out, and everything else (functions, databases, instances of classes) stays itself.
 */
export function clone<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(clone) as Value;
  if (value instanceof Date) return (Number.isFinite(value.getTime()) ? value.toISOString() : value) as Value;
  if (isBinary(value)) return copyOf(value) as Value;
  if (!isPlainObject(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const copied = clone(member);
    if (copied === undefined) continue;
    if (name === '__proto__') Object.defineProperty(copy, name, { value: copied, enumerable: true, writable: true, configurable: true });
    else copy[name] = copied;
  }
  return copy as Value;
}

/** Object literals, also those of another frame, and objects without a prototype. */
function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null) return true;
  const constructor = (prototype as { constructor?: unknown }).constructor;
  return typeof constructor === 'function' && Function.prototype.toString.call(constructor) === Function.prototype.toString.call(Object);
}
