// Checked by the compiler only: upsert, users, transform, dump and load, allDbs.
import Potoroo from 'potoroo';

interface Note {
  title: string;
  done?: boolean;
}

export async function upsert(db: Potoroo.Database<Note>) {
  const { updated, rev, id } = await db.upsert('a', (doc) => ({ ...doc, title: doc.title ?? 'A' }));
  await db.upsert('a', (doc) => doc.done ? false : { title: 'B', done: true });
  await db.upsert('a', async ({ title = '' }) => ({ title }));
  db.upsert('a', () => ({ title: 'C' }), (error, result) => console.log(error?.status, result?.updated));
  await db.putIfNotExists('a', { title: 'A' });
  await db.putIfNotExists({ _id: 'a', title: 'A' });
  // @ts-expect-error a title is text
  await db.upsert('a', () => ({ title: 1 }));
  // @ts-expect-error an id is needed
  await db.putIfNotExists({ title: 'A' });
  return [updated, rev, id];
}

export async function users() {
  const db = new Potoroo('https://couch.example/notes', { skip_setup: true });
  await db.signUp('ada', 'secret', { metadata: { email: 'ada@example.org' }, roles: ['reader'] });
  const { roles }: Potoroo.LoginResponse = await db.logIn('ada', 'secret');
  const { userCtx } = await db.getSession();
  const name: string | null = userCtx.name;
  const { email, _rev }: Potoroo.User = await db.getUser('ada');
  await db.putUser('ada', { metadata: { email } });
  await db.changePassword('ada', 'other');
  await db.changeUsername('ada', 'eve', { ajax: { headers: { 'x-tenant': 'a' } } });
  await db.deleteUser('eve');
  await db.signUpAdmin('root', 'secret');
  await db.deleteAdmin('root');
  db.logOut((error, answer) => console.log(error?.name, answer?.ok));
  // @ts-expect-error a password is needed
  await db.logIn('ada');
  return [roles, name, _rev, db.getUsersDatabaseUrl()];
}

export async function dumps(db: Potoroo.Database<Note>, stream: WritableStream<Uint8Array>) {
  db.transform({ incoming: (doc: Note) => ({ ...doc, title: doc.title.trim() }), outgoing: async (doc: Note) => doc });
  const blob: Blob = await db.dump();
  const { ok } = await db.dump(stream, { selector: { done: true }, batch_size: 50 });
  const { docs_read, last_seq } = await db.load(blob);
  await db.load('https://example.org/dump.txt', { proxy: 'https://couch.example/notes' });
  await db.load(await fetch('https://example.org/dump.txt'));
  // @ts-expect-error it is no number
  await db.load(1);
  return [ok, docs_read, last_seq];
}

export async function statics() {
  const names: string[] = await Potoroo.allDbs();
  Potoroo.allDbs((error, all) => console.log(error, all?.length));
  const id = Potoroo.activeTasks.add({ name: 'mine', total_items: 2 });
  Potoroo.activeTasks.update(id, { completed_items: 1 });
  const [task] = Potoroo.activeTasks.list();
  Potoroo.activeTasks.remove(id);
  Potoroo.on('debug', ([topic, ...rest]) => console.log(topic, rest));
  return [names, task?.name];
}
