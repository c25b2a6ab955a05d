// All rows in one SVG: how many times the subject's value each other one takes, on one logarithmic scale. Left of the line is
// better than the subject, right of it worse.
import { width } from './bars.mjs';
import { escape } from './escape.mjs';
import { formatRatio, formatValue } from './format.mjs';

const labelWidth = 400;
const rightMargin = 30;
const headHeight = 62;
const rowHeight = 24;

/** A mark for each contestant that is not told by its colour alone. */
const shapes = [
  (x, y) => `<circle cx="${x}" cy="${y}" r="5"/>`,
  (x, y) => `<rect x="${x - 4.5}" y="${y - 4.5}" width="9" height="9"/>`,
  (x, y) => `<path d="M${x} ${y - 6}L${x + 6} ${y + 5}H${x - 6}Z"/>`,
  (x, y) => `<path d="M${x} ${y - 6.5}L${x + 6.5} ${y}L${x} ${y + 6.5}L${x - 6.5} ${y}Z"/>`,
  (x, y) => `<path d="M${x} ${y + 6}L${x + 6} ${y - 5}H${x - 6}Z"/>`,
];

/** Only times and bytes have ratios, and only where there is something to divide by. */
function ratiosOf(row, subject, compared) {
  const own = row.results[subject.id]?.median;
  if (!(own > 0) || (row.unit !== 'ms' && row.unit !== 'bytes')) return [];
  return compared
    .map((contestant, place) => ({ contestant, place, value: row.results[contestant.id]?.median }))
    .filter(({ value }) => value > 0)
    .map(({ value, ...rest }) => ({ ...rest, value, ratio: value / own }));
}

/** The empty string where nothing can be compared. */
export function renderOverview(rows, contestants) {
  const subject = contestants.find(({ kind }) => kind === 'subject');
  if (!subject) return '';
  const compared = contestants.filter((contestant) => contestant !== subject);
  const lines = rows.map((row) => ({ row, ratios: ratiosOf(row, subject, compared) })).filter(({ ratios }) => ratios.length > 0);
  if (lines.length === 0) return '';

  const all = lines.flatMap(({ ratios }) => ratios.map(({ ratio }) => Math.log10(ratio)));
  const first = Math.min(-1, Math.floor(Math.min(...all)));
  const last = Math.max(1, Math.ceil(Math.max(...all)));
  const scale = (ratio) => labelWidth + ((Math.log10(ratio) - first) / (last - first)) * (width - labelWidth - rightMargin);
  const bottom = headHeight + lines.length * rowHeight;

  const legend = compared.map(({ title, kind }, place) => {
    const x = place * (width / compared.length);
    return `<g class="${kind}">${shapes[place % shapes.length](x + 6, 12)}</g><text x="${x + 18}" y="16">${escape(title)}</text>`;
  });
  const grid = Array.from({ length: last - first + 1 }, (_, index) => first + index).map((power) => {
    const x = scale(10 ** power).toFixed(1);
    const text = power === 0 ? `as ${subject.title}` : `${formatRatio(10 ** power)}`;
    return (
      `<path class="${power === 0 ? 'own' : 'grid'}" d="M${x} ${headHeight - 12}V${bottom}"/>` +
      `<text class="tick" x="${x}" y="${headHeight - 18}">${escape(text)}</text>`
    );
  });
  const marks = lines.map(({ row, ratios }, index) => {
    const y = headHeight + index * rowHeight + rowHeight / 2;
    const points = ratios.map(({ contestant, place, value, ratio }) => {
      const note = `${contestant.title}: ${formatValue(value, row.unit)}${row.unit === 'ms' ? ' ms' : ''}, ${formatRatio(ratio)}`;
      const mark = shapes[place % shapes.length](Number(scale(ratio).toFixed(1)), y);
      return `<g class="${contestant.kind}"><title>${escape(note)}</title>${mark}</g>`;
    });
    return `<path class="grid" d="M0 ${y + rowHeight / 2}H${width}"/><text x="0" y="${y + 4}">${escape(row.title)}</text>${points.join('')}`;
  });
  return (
    `<svg class="overview" viewBox="0 0 ${width} ${bottom + 4}" role="img" aria-label="All rows compared with ${escape(subject.title)}">\n` +
    `${[...legend, ...grid, ...marks].join('\n')}\n</svg>`
  );
}
