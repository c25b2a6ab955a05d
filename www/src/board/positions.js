// Positions between positions. Each note has a string as its place in a column; a note dropped between two others gets a
// string that sorts between theirs, so a move writes one document and leaves all others alone. Random digits at the
// end keep two people who drop notes at the same spot at the same time from choosing the same string.

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const base = digits.length;

/**
 * A string that sorts (by code unit) after `before` and ahead of `after`. Either may be undefined: the ends of the list.
 * `before` must sort ahead of `after`; neither ends in '0', and neither does the result.
 */
export function positionBetween(before, after, random = Math.random) {
  const low = before ?? '';
  let stem = midpoint(low, after);
  let position = stem + randomDigits(random);
  // The stem itself lies between; with the random digits it can reach `after` only if it is a prefix of it.
  while (after !== undefined && position >= after) {
    stem = midpoint(low, stem);
    position = stem + randomDigits(random);
  }
  return position;
}

/** The shortest useful string strictly between, without random digits. `low` may be empty, `high` undefined. */
function midpoint(low, high) {
  if (high !== undefined) {
    let shared = 0;
    while (shared < high.length && (low[shared] ?? '0') === high[shared]) shared += 1;
    if (shared > 0) return high.slice(0, shared) + midpoint(low.slice(shared), high.slice(shared));
  }
  const from = low === '' ? 0 : digits.indexOf(low[0]);
  const to = high === undefined ? base : digits.indexOf(high[0]);
  if (to - from > 1) return digits[pickDigit(from, to, low === '', high === undefined)];
  if (high !== undefined && high.length > 1) return high[0];
  return digits[from] + midpoint(low.slice(1), undefined);
}

/** Between two notes the middle; at an end of the list a small step, for notes are mostly added there again and again. */
function pickDigit(from, to, atStart, atEnd) {
  if (atStart && atEnd) return Math.floor(base / 2);
  if (atEnd) return from + 1;
  if (atStart) return to - 1;
  return Math.floor((from + to) / 2);
}

function randomDigits(random) {
  const first = digits[Math.floor(random() * base)];
  const last = digits[1 + Math.floor(random() * (base - 1))];
  return first + last;
}

/** Sorts by position; equal positions (two people, same instant, same luck) fall back to the id, alike everywhere. */
export function byPosition(one, other) {
  const a = one.position ?? '';
  const b = other.position ?? '';
  if (a !== b) return a < b ? -1 : 1;
  return one._id < other._id ? -1 : one._id > other._id ? 1 : 0;
}
