// The results as the visitor's page shows them: table, then charts.
import { renderGroups } from '../report/chart.mjs';
import { escape } from '../report/escape.mjs';
import { floorNote, headerLines } from '../report/format.mjs';
import { columnsOf, failuresOf } from '../report/table.mjs';

const paragraph = (kind) => (text) => `<p class="${kind}">${escape(text)}</p>`;

const limits =
  'Here all of them share one page and one origin. So what one of them stores cannot be told apart, one may find the files that ' +
  'another left behind, and memory is that of all. "cargo xtask bench --size" gives each an origin of its own, and measures ' +
  'replication too.';

function renderHtmlTable({ contestants, rows }) {
  const { titles, cellsOf } = columnsOf(contestants);
  const subject = contestants.findIndex(({ kind }) => kind === 'subject') + 1;
  const head = titles.map((title) => `<th scope="col">${escape(title)}</th>`).join('');
  const body = rows.map((row) => {
    const kindOf = (index) => (index > 0 && index === subject ? ' class="subject"' : '');
    const cells = cellsOf(row).map((cell, index) => `<td${kindOf(index)}>${escape(cell)}</td>`);
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

export function renderResults(report) {
  return [
    `<div class="notes">${headerLines(report.header).map(paragraph('fact')).join('')}</div>`,
    renderHtmlTable(report),
    failuresOf(report).map(paragraph('failure')).join(''),
    report.warnings.map((text) => paragraph('failure')(`warning: ${text}`)).join(''),
    `<div class="notes">${[limits, floorNote].map(paragraph('fact')).join('')}</div>`,
    renderGroups(report),
  ].join('\n');
}
