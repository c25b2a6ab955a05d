// Numbers and the header's lines as people read them, for the table and for the chart.

export function formatMs(ms) {
  if (ms < 9.95) return ms.toFixed(1);
  return Math.round(ms).toLocaleString('en-US');
}

function formatBytes(bytes) {
  const kilo = bytes / 1000;
  if (Math.abs(kilo) < 9.95) return `${kilo.toFixed(1)} kB`;
  if (Math.abs(kilo) < 999.5) return `${Math.round(kilo)} kB`;
  return `${(kilo / 1000).toFixed(1)} MB`;
}

const formats = {
  ms: formatMs,
  bytes: formatBytes,
  count: (count) => count.toLocaleString('en-US'),
  task: (ms) => (ms === 0 ? 'under 50' : formatMs(ms)),
};

/** A value in its row's unit; milliseconds go without one. */
export const formatValue = (value, unit) => formats[unit](value);

export function formatRatio(ratio) {
  if (ratio < 0.00995) return `${Number(ratio.toPrecision(1))}x`;
  if (ratio < 0.995) return `${ratio.toFixed(2)}x`;
  return ratio < 9.95 ? `${ratio.toFixed(1)}x` : `${Math.round(ratio).toLocaleString('en-US')}x`;
}

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** A page knows less of its machine than a program does. */
function machineFacts({ cpus, cpuModel, memoryGb, system, loadAverage }) {
  return [
    cpus && `${cpus} CPUs${cpuModel ? ` (${cpuModel})` : ''}`,
    memoryGb && `${memoryGb} GB`,
    system,
    loadAverage !== undefined && `load ${loadAverage.toFixed(1)} at the start`,
  ].filter(Boolean);
}

/** What the numbers were made with. */
export function headerLines({ machine, browser, libraries, server, options, groups, ...bytes }) {
  const { documentBytes, largeDocumentBytes, replicatedDocumentBytes } = bytes;
  const countOf = (rounds) => (rounds === 1 ? '1 round' : `${rounds} rounds`);
  const roundsOf = (bytes, rounds) =>
    `documents of ${bytes} bytes of JSON; median of ${countOf(rounds)} after one to warm up (fastest..slowest), in ms`;
  const lines = [
    [`${machine.date.slice(0, 16).replace('T', ' ')} UTC`, browser, ...machineFacts(machine)].join(', '),
    ...libraries.map(
      ({ title, version, bytes, gzipBytes }) =>
        `${title} ${version}: script of ${kilobytes(bytes)}, ${kilobytes(gzipBytes)} gzipped`,
    ),
    ...(groups.includes('calls') ? [roundsOf(documentBytes, options.rounds)] : []),
    ...(groups.includes('size') ? [`rows at size: ${roundsOf(largeDocumentBytes, options.longRounds)}`] : []),
  ];
  if (server) {
    lines.push(`rows with a server: documents of ${replicatedDocumentBytes} bytes of JSON`);
    if (groups.includes('replication')) lines.push(`the longer ones of them: ${countOf(options.longRounds)} after one to warm up`);
    const cors = options.cors ? 'from another origin, with the preflight requests that takes' : 'cross-origin checks off';
    lines.push(`server: ${server.description}, ${cors}`);
    if (!server.isReal) {
      lines.push(
        'This server is slow and takes most of the time of the pull and push rows: they say little about the clients. ' +
          'Name a CouchDB with --couch or COUCHDB_URL.',
      );
    }
  }
  if (options.quick) lines.push('--quick: too few documents and rounds, the times mean nothing.');
  return lines;
}

export const floorNote =
  'floor: no database, only the platform. Local rows: the same objects as JSON bytes in one IndexedDB record for each batch or ' +
  'answer, encoded and parsed; at size, one record for each document, the object itself, and the changes as a record made ' +
  'beforehand. Pull: _changes, then _bulk_get by 1000 in parallel; push: _revs_diff and _bulk_docs by 1000 in parallel; no ' +
  'checkpoints, nothing stored.';
