// What a page and its worker say to each other. Messages go in lists: what is said in one turn is one message.

/** The worker itself, among the objects that can be called; the others have numbers from 1 on, given by the page. */
export const SERVER = 0;

/** A call of a method of an object in the worker. Arguments and results are texts, like everywhere at the core's edge, and contents of attachments. */
export type Call = [call: number, object: number, method: string, ...args: unknown[]];

/** How a call ended: without `error`, well. */
export interface Answer {
  call: number;
  value?: unknown;
  error?: unknown;
}

/** What an object tells. */
export interface Event {
  object: number;
  event: string;
  payload?: string | number;
  /** Whether somebody listened as far as the worker knew; if not, work was saved on the payload. */
  wanted?: boolean;
}

/** A database as a side of a replication in the worker: one that is open there, or one behind HTTP. */
export type Side = number | RemoteSide;

export interface RemoteSide {
  url: string;
  options: string;
}

/** How a database opened. */
export interface Opened {
  adapter: string;
  /** Its identity, by which it is known again. */
  id: string;
}
