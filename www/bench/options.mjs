// The command line of run.mjs.
import { parseArgs } from 'node:util';
import { contestants } from './contestants/index.mjs';

export const usage = `\
Usage: cargo xtask bench [options]

  --only TEXT[,TEXT]         only rows whose id or title contains one of the texts (insert, put, allDocs, open, pull-50ms ...)
  --contestants ID[,ID]      only these columns: ${contestants.map(({ id }) => id).join(', ')}
  --size                     the rows with 100,000 documents too, which take minutes; --size --only size/ is them alone
  --replication              more rows with a server, which take long: 50,000 documents, 50 revisions each, 200 ms, live
  --documents N              so many documents instead of 100,000
  --rounds N                 measure each row N times (5; with --quick 2; the rows of --size and --replication once)
  --couch URL                replicate with this CouchDB (http://user:password@host:5984); COUCHDB_URL does the same
  --no-cors                  switch the browser's cross-origin checks off, as if page and CouchDB had one address
  --quick                    few documents and rounds, to see that everything works; the times mean nothing
  --json FILE                write the results to FILE too
  --list                     print the rows and measure nothing`;

const split = (text) => text?.split(',').map((part) => part.trim()).filter(Boolean);

/** Throws an Error whose message is for the person who typed. */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      contestants: { type: 'string' },
      size: { type: 'boolean', default: false },
      replication: { type: 'boolean', default: false },
      documents: { type: 'string' },
      rounds: { type: 'string' },
      couch: { type: 'string' },
      'no-cors': { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const rounds = wholeNumber(values, 'rounds', 1);
  const documents = wholeNumber(values, 'documents', 1000);
  const wanted = split(values.contestants) ?? contestants.filter(({ onRequest }) => !onRequest).map(({ id }) => id);
  const unknown = wanted.find((id) => !contestants.some((contestant) => contestant.id === id));
  if (unknown) throw new Error(`no contestant is called ${unknown}`);
  if (values.couch !== undefined && !URL.canParse(values.couch)) throw new Error('--couch takes a URL');
  return {
    only: split(values.only),
    contestants: contestants.filter(({ id }) => wanted.includes(id)),
    groups: ['calls', ...['size', 'replication'].filter((group) => values[group])],
    documents,
    rounds: rounds ?? (values.quick ? 2 : 5),
    longRounds: rounds ?? 1,
    couch: values.couch ?? process.env.COUCHDB_URL,
    cors: !values['no-cors'],
    quick: values.quick,
    json: values.json,
    list: values.list,
    help: values.help,
  };
}

function wholeNumber(values, name, least) {
  if (values[name] === undefined) return undefined;
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < least) throw new Error(`--${name} takes a whole number from ${least} on`);
  return number;
}

/** The workloads with only the rows asked for, without those that have none left. */
export function selectRows(workloads, only) {
  if (!only) return workloads;
  const texts = only.map((text) => text.toLowerCase());
  const matches = ({ id, title }) => texts.some((text) => id.toLowerCase().includes(text) || title.toLowerCase().includes(text));
  return workloads
    .map((workload) => ({ ...workload, rows: workload.rows.filter(matches) }))
    .filter(({ rows }) => rows.length > 0);
}
