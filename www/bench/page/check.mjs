// What a contestant must have done for its time to count.

/** Throws unless the condition holds; the message says which result was wrong. */
export function check(condition, message) {
  if (!condition) throw new Error(`wrong result: ${message}`);
}

/** Every member of `expected` is in `actual` with the same JSON; only members that start with an underscore may be new. */
export function checkDocument(expected, actual, where) {
  check(actual && typeof actual === 'object', `${where}: ${expected._id} is not there`);
  for (const [member, value] of Object.entries(expected)) {
    if (member === '_rev') continue;
    check(JSON.stringify(actual[member]) === JSON.stringify(value), `${where}: ${expected._id} has another "${member}"`);
  }
  const extra = Object.keys(actual).find((member) => !member.startsWith('_') && !(member in expected));
  check(extra === undefined, `${where}: ${expected._id} has "${extra}" too`);
}

/** First, middle, last, and two more. */
export function sampleOf(list) {
  const last = list.length - 1;
  return [...new Set([0, last >> 2, last >> 1, last - (last >> 3), last])].map((index) => list[index]);
}

/** What was written is read back from a database opened anew: nothing that was only in memory counts. */
export async function checkStored(store, documents, where) {
  await store.reopen();
  const count = await store.count();
  check(count === documents.length, `${where}: ${count} documents stored instead of ${documents.length}`);
  for (const document of sampleOf(documents)) checkDocument(document, await store.read(document._id), where);
}

/**
 * Rows of allDocs or changes: all of them, each document once, in order, with a document that is the right one where asked for,
 * and with its revision unless there are none.
 */
export function checkRows(rows, documents, { withDocs, sorted, revisions = true }, where) {
  check(rows.length === documents.length, `${where}: ${rows.length} rows instead of ${documents.length}`);
  const byId = new Map(rows.map((row) => [row.id, row]));
  check(byId.size === documents.length, `${where}: a document came twice`);
  if (sorted) check(rows.every((row, index) => index === 0 || rows[index - 1].id < row.id), `${where}: rows are not in order`);
  for (const document of sampleOf(documents)) {
    const row = byId.get(document._id);
    check(row, `${where}: ${document._id} is missing`);
    const rev = row.value?.rev ?? row.changes?.[0]?.rev;
    check(!revisions || /^1-[0-9a-f]{32}$/.test(rev), `${where}: ${document._id} has revision ${rev}`);
    if (withDocs) checkDocument(document, row.doc, where);
    else check(row.doc === undefined, `${where}: a document nobody asked for`);
  }
}
