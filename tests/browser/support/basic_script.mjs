// What every place must be able to do: a page, a worker. Answers plain data.

/** Uses a database of that name and removes it. */
export async function basicScript(Potoroo, name) {
  const db = new Potoroo(name);
  const told = [];
  const feed = db.changes({ live: true, include_docs: true }).on('change', ({ id, doc }) => told.push([id, doc.n]));
  const { rev } = await db.put({ _id: 'a', n: 1 });
  const conflict = await db.put({ _id: 'a', n: 2 }).catch((error) => [error instanceof Error, error.status, error.message, String(error)]);
  const second = await db.put({ _id: 'a', n: 3, _rev: rev });
  const bulk = await db.bulkDocs([{ _id: 'b', n: 4 }, { _id: 'c', n: 5 }]);
  const rows = (await db.allDocs({ include_docs: true })).rows;
  while (!told.some(([id]) => id === 'c')) await new Promise((resolve) => setTimeout(resolve, 5));
  feed.cancel();
  const ended = await feed;
  const { adapter, doc_count, update_seq } = await db.info();
  await db.close();
  const again = new Potoroo(name);
  const read = await again.get('a', { revs: true });
  const destroyed = await again.destroy();
  // Two quick writes to one document may be told as one.
  const last = told.filter(([id, n]) => id !== 'a' || n === 3);
  return { rev, conflict, second, bulk, rows, last, ended, adapter, doc_count, update_seq, read, destroyed };
}
