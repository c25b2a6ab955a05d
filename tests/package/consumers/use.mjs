// What every consumer does with the class it was given: put, get, and say which adapter keeps the data; the same in the worker,
// where the platform has any, and say whether it was there.
export async function use(Potoroo) {
  const used = await useOnce(new Potoroo('consumer'));
  if (typeof Worker === 'undefined') return used;
  const { worker = false, ...usedInWorker } = await useOnce(new Potoroo('consumer in the worker', { worker: true }));
  if (JSON.stringify(usedInWorker) !== JSON.stringify(used)) throw new Error(JSON.stringify({ used, usedInWorker }));
  return { ...used, worker };
}

async function useOnce(db) {
  const { rev } = await db.put({ _id: 'greeting', text: 'Grüße 🐾' });
  const { text, _rev } = await db.get('greeting');
  const { doc_count, worker } = await db.info();
  const { adapter } = db;
  await db.destroy();
  return { adapter, text, sameRev: rev === _rev, doc_count, ...(worker && { worker }) };
}
