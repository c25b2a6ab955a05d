// Numbers and the header's lines as people read them, for the table and for the chart.

export function formatMs(ms) {
  if (ms < 9.95) return ms.toFixed(1);
  return Math.round(ms).toLocaleString('en-US');
}

export function formatRatio(ratio) {
  if (ratio < 0.995) return `${ratio.toFixed(2)}x`;
  return ratio < 9.95 ? `${ratio.toFixed(1)}x` : `${Math.round(ratio).toLocaleString('en-US')}x`;
}

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** What the numbers were made with. */
export function headerLines({ machine, chromium, libraries, server, options, documentBytes }) {
  const rounds = options.rounds === 1 ? '1 round' : `${options.rounds} rounds`;
  const lines = [
    `${machine.date.slice(0, 16).replace('T', ' ')} UTC, Chromium ${chromium}, ${machine.cpus} CPUs (${machine.cpuModel}), ` +
      `${machine.memoryGb} GB, ${machine.system}, load ${machine.loadAverage.toFixed(1)} at the start`,
    ...libraries.map(
      ({ title, version, bytes, gzipBytes }) =>
        `${title} ${version}: script of ${kilobytes(bytes)}, ${kilobytes(gzipBytes)} gzipped`,
    ),
    `documents of ${documentBytes} bytes of JSON; median of ${rounds} after one to warm up (fastest..slowest), in ms`,
  ];
  if (server) {
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
  'answer, encoded and parsed. Pull: _changes, then _bulk_get by 1000 in parallel; push: _revs_diff and _bulk_docs by 1000 ' +
  'in parallel; no checkpoints, nothing stored.';
