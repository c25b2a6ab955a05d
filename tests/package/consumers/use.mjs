// What every consumer does with the class it was given: put, get, and say which adapter keeps the data.
export async function use(Potoroo) {
  const db = new Potoroo('consumer');
  const { rev } = await db.put({ _id: 'greeting', text: 'Grüße 🐾' });
  const { text, _rev } = await db.get('greeting');
  const { doc_count } = await db.info();
  const { adapter } = db;
  await db.destroy();
  return { adapter, text, sameRev: rev === _rev, doc_count };
}
