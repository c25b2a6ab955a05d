// An app with types: an import, a document's type, a callback, an event.
import Potoroo from 'potoroo';

interface Note {
  text: string;
  done?: boolean;
}

const notes: Potoroo.Database<Note> = new Potoroo<Note>('notes');

export async function add(text: string): Promise<string> {
  const { id } = await notes.post({ text });
  const note = await notes.get(id);
  const done: boolean | undefined = note.done;
  // @ts-expect-error notes have no title
  void note.title;
  return done ? id : note._rev;
}

notes.changes({ live: true, since: 'now' }).on('change', (change) => {
  const id: string = change.id;
  void id;
});
