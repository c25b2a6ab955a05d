// The errors that users see: Error instances with PouchDB's status, name, message and reason.

export interface ErrorMembers {
  status?: number;
  name?: string;
  message?: string;
  reason?: unknown;
  docId?: string;
  id?: string;
  error?: boolean | string;
}

/** One line of the error table. */
type Kind = Readonly<{ status: number; name: string; message: string }>;

const kind = (status: number, name: string, message: string): Kind => ({ status, name, message });

export const MISSING_BULK_DOCS = kind(400, 'bad_request', "Missing JSON list of 'docs'");
export const MISSING_DOC = kind(404, 'not_found', 'missing');
export const INVALID_ID = kind(400, 'bad_request', '_id field must contain a string');
export const MISSING_ID = kind(412, 'missing_id', '_id is required for puts');
export const RESERVED_ID = kind(400, 'bad_request', 'Only reserved document ids may start with underscore.');
export const UNKNOWN_ERROR = kind(500, 'unknown_error', 'Database encountered an unknown error');
export const BAD_ARGUMENT = kind(500, 'badarg', 'Some query argument is invalid');
export const QUERY_PARSE_ERROR = kind(400, 'query_parse_error', 'Some query parameter is invalid');
export const BAD_REQUEST = kind(400, 'bad_request', 'Something wrong with the request');
export const REV_CONFLICT = kind(409, 'conflict', 'Document update conflict');
export const NOT_AN_OBJECT = kind(400, 'bad_request', 'Document must be a JSON object');
export const INVALID_REV = kind(400, 'bad_request', 'Invalid rev format');

/** An error as PouchDB's: `error` is true, so that it can be told from a result in the same list. */
export class PotorooError extends Error {
  declare status: number;
  declare error: boolean | string;
  declare reason?: unknown;
  declare docId?: string;
  declare id?: string;

  constructor(status: number, name: string, message: string) {
    super(message);
    this.status = status;
    this.name = name;
    this.error = true;
  }

  override toString(): string {
    return JSON.stringify({ status: this.status, name: this.name, message: this.message, reason: this.reason });
  }
}

/** An error of the table. A method that PouchDB lets reject with an error's reason gives it here. */
export function createError({ status, name, message }: Kind, reason?: unknown): PotorooError {
  const error = new PotorooError(status, name, message);
  if (reason !== undefined) error.reason = reason;
  return error;
}

/** A cyclic document, or one with a BigInt in it. */
export function notJson(why: string): PotorooError {
  return new PotorooError(400, 'bad_request', `Document can not be written as JSON: ${why}`);
}

/** What is planned but not built. */
export function notYet(what: string): PotorooError {
  return new PotorooError(501, 'not_implemented', `${what} is not available yet`);
}

/** What a method of a closed or destroyed database rejects with: a plain Error, as PouchDB's. */
export const closedError = () => new Error('database is closed');
export const destroyedError = () => new Error('database is destroyed');

/**
 * Makes an Error of what the core or a server gave: the members of an error, or CouchDB's `{error, reason}`.
 * What is an Error already stays what it is.
 */
export function toError(raw: unknown): Error {
  if (raw instanceof Error) return raw;
  if (typeof raw !== 'object' || raw === null) return new PotorooError(500, UNKNOWN_ERROR.name, String(raw));
  const members = raw as ErrorMembers & Record<string, unknown>;
  const error = emptyError(members);
  for (const [name, value] of Object.entries(members)) {
    if (name !== 'status' && name !== 'name' && name !== 'message' && name !== 'stack') {
      Object.defineProperty(error, name, { value, enumerable: true, writable: true, configurable: true });
    }
  }
  return error;
}

function emptyError({ status, name, message, error, reason }: ErrorMembers): Error {
  if (status === undefined && name === 'Error') return new Error(message);
  const code = typeof error === 'string' ? error : undefined;
  return new PotorooError(
    status ?? (code === 'conflict' ? 409 : 500),
    name ?? code ?? 'unknown',
    message ?? (typeof reason === 'string' ? reason : ''),
  );
}

/** The members of an error as plain data: JSON.stringify leaves the message of an Error instance out. */
export function errorMembers(error: unknown): ErrorMembers {
  if (typeof error !== 'object' || error === null) return { name: UNKNOWN_ERROR.name, message: String(error) };
  const { name, message } = error as ErrorMembers;
  const { stack: _stack, ...members } = error as ErrorMembers & { stack?: string };
  return { ...members, ...(name === undefined ? {} : { name }), ...(message === undefined ? {} : { message }) };
}
