// The results as charts in one HTML page that needs nothing else.
import { renderBars } from './bars.mjs';
import { escape } from './escape.mjs';
import { floorNote, headerLines } from './format.mjs';
import { renderOverview } from './overview.mjs';
import { chartStyle } from './style.mjs';

const titles = { calls: 'Calls', size: 'A large database', replication: 'Replication' };

/** Each group of rows: first all of them on one scale, then each with its values. */
export function renderGroups({ contestants, rows }) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups
    .map((group) => {
      const members = rows.filter((row) => row.group === group);
      return `<h2>${titles[group]}</h2>\n${renderOverview(members, contestants)}\n${renderBars(members, contestants)}`;
    })
    .join('\n');
}

export function renderChart({ header, contestants, rows }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Potoroo benchmark</title>
<style>${chartStyle}</style>
</head>
<body>
<h1>Potoroo benchmark</h1>
${headerLines(header).map((line) => `<p>${escape(line)}</p>`).join('\n')}
<p>In the overviews a mark left of the line took less than Potoroo, one right of it more. In the bars, shorter is better; the thin
line goes from the fastest round to the slowest, and each row has a scale of its own.</p>
${renderGroups({ contestants, rows })}
<p>${escape(floorNote)}</p>
</body>
</html>
`;
}
