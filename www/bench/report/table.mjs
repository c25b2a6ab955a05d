// The results as an aligned table for the terminal.
import { floorNote, formatRatio, formatValue, headerLines } from './format.mjs';

function cell(result, unit) {
  if (!result) return '-';
  if (result.error) return 'failed';
  const [median, min, max] = [result.median, result.min, result.max].map((value) => formatValue(value, unit));
  return result.samples.length > 1 ? `${median} (${min}..${max})` : median;
}

/** Columns are as wide as their widest cell; the first is flush left, the others flush right. */
function align(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) =>
    line.map((text, column) => (column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]))).join('  '),
  );
}

/** Titles of the columns, and the row's cells: what was measured, then the ratios worth telling. */
export function columnsOf(contestants) {
  const subject = contestants.find(({ kind }) => kind === 'subject');
  const others = contestants.filter(({ kind }) => kind === 'other');
  const ratios = subject
    ? [
        ['faster (smaller) than the better PouchDB', ({ timesFaster }) => timesFaster],
        ...others.map(({ id, title }) => [`of ${title}`, ({ timesOther }) => timesOther[id]]),
        ['of floor', ({ timesFloor }) => timesFloor],
      ]
    : [['better PouchDB of floor', ({ peerTimesFloor }) => peerTimesFloor]];
  return {
    titles: ['', ...contestants.map(({ title }) => title), ...ratios.map(([title]) => title)],
    cellsOf: (row) => [
      row.title,
      ...contestants.map(({ id }) => cell(row.results[id], row.unit)),
      ...ratios.map(([, valueOf]) => valueOf(row)).map((value) => (value === undefined ? '-' : formatRatio(value))),
    ],
  };
}

/** One line for each failure. A workload fails as a whole, so its rows have the same message. */
export function failuresOf({ contestants, rows }) {
  const failures = rows.flatMap((row) =>
    contestants.filter(({ id }) => row.results[id]?.error).map(({ id, title }) => `failed: ${title}, ${row.results[id].error}`),
  );
  return [...new Set(failures)];
}

export function renderTable({ header, contestants, rows }) {
  const { titles, cellsOf } = columnsOf(contestants);
  const [head, ...body] = align([titles, ...rows.map(cellsOf)]);
  const failures = failuresOf({ contestants, rows });
  const parts = [headerLines(header).join('\n'), [head, '-'.repeat(head.length), ...body].join('\n'), floorNote];
  if (failures.length > 0) parts.push(failures.join('\n'));
  return parts.join('\n\n');
}
