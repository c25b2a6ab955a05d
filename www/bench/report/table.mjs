// The results as an aligned table for the terminal.
import { floorNote, formatMs, formatRatio, headerLines } from './format.mjs';

function cell(result) {
  if (!result) return '-';
  if (result.error) return 'failed';
  return `${formatMs(result.median)} (${formatMs(result.min)}..${formatMs(result.max)})`;
}

/** Columns are as wide as their widest cell; the first is flush left, the others flush right. */
function align(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) =>
    line.map((text, column) => (column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]))).join('  '),
  );
}

export function renderTable({ header, contestants, rows }) {
  const hasSubject = contestants.some(({ kind }) => kind === 'subject');
  const ratios = hasSubject
    ? [
        ['faster than the better PouchDB', 'timesFaster'],
        ['of floor', 'timesFloor'],
      ]
    : [['better PouchDB of floor', 'peerTimesFloor']];
  const titles = ['', ...contestants.map(({ title }) => title), ...ratios.map(([title]) => title)];
  const lines = rows.map((row) => [
    row.title,
    ...contestants.map(({ id }) => cell(row.results[id])),
    ...ratios.map(([, member]) => (row[member] === undefined ? '-' : formatRatio(row[member]))),
  ]);
  const [head, ...body] = align([titles, ...lines]);
  const failures = new Set(
    rows.flatMap((row) =>
      contestants
        .filter(({ id }) => row.results[id]?.error)
        // A workload fails as a whole, so its rows have the same message.
        .map(({ id, title }) => `failed: ${title}, ${row.results[id].error}`),
    ),
  );
  const parts = [headerLines(header).join('\n'), [head, '-'.repeat(head.length), ...body].join('\n'), floorNote];
  if (failures.size > 0) parts.push([...failures].join('\n'));
  return parts.join('\n\n');
}
