// The results as bars in one HTML page that needs nothing else.
import { floorNote, formatMs, formatRatio, headerLines } from './format.mjs';

const width = 980;
const labelWidth = 150;
const valueWidth = 130;
const barHeight = 16;
const rowGap = 44;

const escape = (text) =>
  String(text).replace(/[&<>"]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character]);

/** Bars of one row share a linear scale: only times of the same work can be compared. */
function renderRow(row, contestants, top) {
  const shown = contestants.filter(({ id }) => row.results[id]);
  const longest = Math.max(...shown.map(({ id }) => row.results[id].max ?? 0), Number.MIN_VALUE);
  const scale = (ms) => (ms / longest) * (width - labelWidth - valueWidth);
  const bars = shown.map(({ id, title, kind }, index) => {
    const y = top + 26 + index * (barHeight + 3);
    const middle = y + barHeight / 2;
    const label = `<text class="label" x="${labelWidth - 8}" y="${y + 12}">${escape(title)}</text>`;
    const { median, min, max, error } = row.results[id];
    if (error) return `${label}<text class="failed" x="${labelWidth}" y="${y + 12}">failed: ${escape(error)}</text>`;
    const x = (ms) => (labelWidth + scale(ms)).toFixed(1);
    return (
      label +
      `<rect class="${kind}" x="${labelWidth}" y="${y}" width="${Math.max(1, scale(median)).toFixed(1)}" height="${barHeight}"/>` +
      `<path class="spread" d="M${x(min)} ${middle}H${x(max)}"/>` +
      `<text class="value" x="${Number(x(Math.max(median, max))) + 8}" y="${y + 12}">${formatMs(median)} ms</text>`
    );
  });
  const notes = [];
  if (row.timesFaster !== undefined) notes.push(`${formatRatio(row.timesFaster)} as fast as the better PouchDB`);
  if (row.timesFloor !== undefined) notes.push(`${formatRatio(row.timesFloor)} the floor's time`);
  const heading =
    `<text class="row" x="0" y="${top + 15}">${escape(row.title)}</text>` +
    `<text class="note" x="${width}" y="${top + 15}">${escape(notes.join(', '))}</text>`;
  return { svg: heading + bars.join(''), height: rowGap + shown.length * (barHeight + 3) };
}

export function renderChart({ header, contestants, rows }) {
  let top = 0;
  const parts = rows.map((row) => {
    const { svg, height } = renderRow(row, contestants, top);
    top += height;
    return svg;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Potoroo benchmark</title>
<style>
:root { color-scheme: light dark; --text: #1d2430; --quiet: #667085; --subject: #0f8a6a; --peer: #c2643c; --floor: #9aa4b2; --line: #1d2430; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ef; --quiet: #98a2b3; --subject: #34c79b; --peer: #e08a5f; --floor: #667085; --line: #e6e9ef; } body { background: #14181f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); max-width: ${width}px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
p { margin: .2rem 0; color: var(--quiet); font-size: .85rem; }
svg { width: 100%; height: auto; margin-top: 1.5rem; overflow: visible; }
text { font-size: 12px; fill: var(--text); }
.row { font-size: 14px; font-weight: 600; }
.note { text-anchor: end; fill: var(--quiet); }
.label { text-anchor: end; fill: var(--quiet); }
.failed { fill: var(--peer); }
.subject { fill: var(--subject); } .peer { fill: var(--peer); } .floor { fill: var(--floor); }
.spread { stroke: var(--line); stroke-width: 1.5; opacity: .55; }
</style>
</head>
<body>
<h1>Potoroo benchmark</h1>
${headerLines(header).map((line) => `<p>${escape(line)}</p>`).join('\n')}
<p>Shorter is better. The thin line goes from the fastest round to the slowest. Each row has a scale of its own.</p>
<svg viewBox="0 0 ${width} ${top}" role="img" aria-label="Bar chart of the results">
${parts.join('\n')}
</svg>
<p>${escape(floorNote)}</p>
</body>
</html>
`;
}
