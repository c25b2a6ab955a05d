// Functions that design documents keep as text, run in this page where its policy allows that. A server runs its own.
import type { Doc } from './database';
import { BAD_REQUEST, EVAL_FORBIDDEN, createError } from './errors';

/** A filter function, of the user's or out of a design document. */
export type FilterFunction = (doc: Doc, request: { query?: unknown }) => unknown;

/** The function `filters.name` of a design document. */
export function evaluateFilter(source: unknown): FilterFunction {
  return evaluate<FilterFunction>(`"use strict";\nreturn ${String(source)};`);
}

/** The function `views.name.map` of a design document as a filter: a document passes for which it emits something. */
export function evaluateView(source: unknown): FilterFunction {
  return evaluate<FilterFunction>(
    `"use strict";\nlet emitted = false;\nconst emit = () => { emitted = true; };\nconst view = ${String(source)};\n` +
      'return (doc) => { emitted = false; view(doc); return emitted; };',
  );
}

function evaluate<Result>(body: string): Result {
  try {
    return new Function(body)() as Result;
  } catch (error) {
    if (error instanceof EvalError) throw createError(EVAL_FORBIDDEN);
    throw createError(BAD_REQUEST, `The function of the design document does not compile: ${String(error)}`);
  }
}
