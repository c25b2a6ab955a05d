// Rows as bars in SVG: the values themselves, a scale for each row.
import { escape } from './escape.mjs';
import { formatRatio, formatValue } from './format.mjs';

export const width = 980;
const labelWidth = 150;
const valueWidth = 130;
const barHeight = 16;
const rowGap = 44;

const units = { ms: ' ms', task: ' ms', bytes: '', count: '' };
const better = { ms: 'as fast as', bytes: 'less than' };
const floorOf = { ms: "the floor's time", bytes: "the floor's" };

/** Bars of one row share a linear scale: only values of the same work can be compared. */
function renderRow(row, contestants, top) {
  const shown = contestants.filter(({ id }) => row.results[id]);
  const longest = Math.max(...shown.map(({ id }) => row.results[id].max ?? 0), Number.MIN_VALUE);
  const scale = (value) => (value / longest) * (width - labelWidth - valueWidth);
  const bars = shown.map(({ id, title, kind }, index) => {
    const y = top + 26 + index * (barHeight + 3);
    const middle = y + barHeight / 2;
    const label = `<text class="label" x="${labelWidth - 8}" y="${y + 12}">${escape(title)}</text>`;
    const { median, min, max, error } = row.results[id];
    if (error) return `${label}<text class="failed" x="${labelWidth}" y="${y + 12}">failed: ${escape(error)}</text>`;
    const x = (value) => (labelWidth + scale(value)).toFixed(1);
    const value = formatValue(median, row.unit) + units[row.unit];
    return (
      label +
      `<rect class="${kind}" x="${labelWidth}" y="${y}" width="${Math.max(1, scale(median)).toFixed(1)}" height="${barHeight}"/>` +
      `<path class="spread" d="M${x(min)} ${middle}H${x(max)}"/>` +
      `<text class="value" x="${Number(x(Math.max(median, max))) + 8}" y="${y + 12}">${value}</text>`
    );
  });
  const notes = [];
  if (row.timesFaster !== undefined) notes.push(`${formatRatio(row.timesFaster)} ${better[row.unit]} the better PouchDB`);
  if (row.timesFloor !== undefined) notes.push(`${formatRatio(row.timesFloor)} ${floorOf[row.unit]}`);
  const heading =
    `<text class="row" x="0" y="${top + 15}">${escape(row.title)}</text>` +
    `<text class="note" x="${width}" y="${top + 15}">${escape(notes.join(', '))}</text>`;
  return { svg: heading + bars.join(''), height: rowGap + shown.length * (barHeight + 3) };
}

/** One SVG of all rows. */
export function renderBars(rows, contestants) {
  let top = 0;
  const parts = rows.map((row) => {
    const { svg, height } = renderRow(row, contestants, top);
    top += height;
    return svg;
  });
  return `<svg class="bars" viewBox="0 0 ${width} ${top}" role="img" aria-label="Bars of the results">\n${parts.join('\n')}\n</svg>`;
}
