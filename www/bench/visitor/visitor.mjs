// The benchmark for whoever opens its page: the same workloads, order and checks as the command's, in frames of this page.
import { contestants as everybody } from '../contestants/index.mjs';
import { measureWorkload } from '../measure.mjs';
import { DOCUMENT_BYTES, LARGE_DOCUMENT_BYTES } from '../page/documents.mjs';
import { summarizeRow } from '../report/statistics.mjs';
import { chartStyle } from '../report/style.mjs';
import { fullSizes, makeWorkloads } from '../workloads/index.mjs';
import { makeFrames } from './frames.mjs';
import { removeLeftovers } from './leftovers.mjs';
import { renderResults } from './results.mjs';

const element = (id) => document.getElementById(id);
const form = element('choices');
const status = element('status');
const progressBar = element('progress');

const style = document.createElement('style');
style.textContent = chartStyle;
// Before the page's own style, which builds on it.
document.head.prepend(style);

for (const { id, title, onRequest } of everybody) {
  const label = document.createElement('label');
  const box = Object.assign(document.createElement('input'), { type: 'checkbox', name: 'contestant', value: id, checked: !onRequest });
  label.append(box, ` ${title}`);
  element('contestants').append(label);
}

function readChoices() {
  const values = new FormData(form);
  const wanted = values.getAll('contestant');
  return {
    contestants: everybody.filter(({ id }) => wanted.includes(id)),
    groups: ['calls', 'size'].filter((group) => values.has(group)),
    rounds: Number(values.get('rounds')),
    sizes: { ...fullSizes, size: Number(values.get('documents')) },
  };
}

function browserName() {
  const brands = navigator.userAgentData?.brands ?? [];
  const chromium = brands.find(({ brand }) => brand === 'Chromium');
  if (chromium) return `Chromium ${chromium.version}`;
  return navigator.userAgent.match(/Firefox\/[\d.]+|Version\/[\d.]+ .*Safari/)?.[0].replace('/', ' ') ?? navigator.userAgent;
}

async function describe({ contestants, groups, rounds }) {
  const libraries = await (await fetch(new URL('../libraries.json', import.meta.url))).json();
  return {
    machine: {
      date: new Date().toISOString(),
      cpus: navigator.hardwareConcurrency,
      system: navigator.userAgentData?.platform,
    },
    browser: browserName(),
    libraries: libraries.filter(({ id }) => contestants.some((contestant) => contestant.id === id)),
    options: { rounds, longRounds: 1, quick: false },
    documentBytes: DOCUMENT_BYTES,
    largeDocumentBytes: LARGE_DOCUMENT_BYTES,
    groups,
  };
}

function offer(report) {
  const link = element('download');
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2)], { type: 'application/json' }));
  link.hidden = false;
}

/** Measures what was chosen; shows the rows of each workload when it is done. */
async function run(choices, environment) {
  const { contestants, groups, sizes } = choices;
  const workloads = makeWorkloads(sizes).filter(({ group, remote }) => groups.includes(group) && !remote);
  const report = { header: await describe(choices), sizes, contestants: [], rows: [], warnings: environment.warnings };
  report.contestants = contestants.map(({ id, title, kind }) => ({ id, title, kind }));
  progressBar.max = workloads.length;
  for (const [index, workload] of workloads.entries()) {
    environment.checkRunning();
    const measured = await measureWorkload({
      ...{ workload, contestants, sizes, environment },
      rounds: workload.group === 'size' ? 1 : choices.rounds,
      progress: (detail) => {
        status.textContent = `${workload.id} (${index + 1} of ${workloads.length}): ${detail}`;
      },
    });
    const summaries = workload.rows.map((row) => summarizeRow(row, measured[row.id], contestants));
    report.rows.push(...summaries.map((summary) => ({ group: workload.group, ...summary })));
    progressBar.value = index + 1;
    element('results').innerHTML = renderResults(report);
    offer(report);
  }
}

/** Ends with the run, or as soon as the visitor has had enough: a call that is going on then has nobody to wait for it. */
async function runUntilStopped(choices) {
  const environment = makeFrames(element('frames'));
  const noteHidden = () => {
    const text = 'this tab was not in front all the time; browsers slow down those that are not';
    if (document.hidden && !environment.warnings.includes(text)) environment.warnings.push(text);
  };
  document.addEventListener('visibilitychange', noteHidden);
  const stopped = new Promise((_, reject) => {
    element('stop').onclick = () => {
      environment.stop();
      reject(new Error('stopped'));
    };
  });
  try {
    await removeLeftovers();
    await Promise.race([run(choices, environment), stopped]);
    return 'Done.';
  } catch (error) {
    return error.message === 'stopped' ? 'Stopped.' : `The benchmark failed: ${error.message}`;
  } finally {
    document.removeEventListener('visibilitychange', noteHidden);
    environment.stop();
    await removeLeftovers();
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const choices = readChoices();
  if (choices.contestants.length === 0 || choices.groups.length === 0) {
    status.textContent = 'Choose somebody and something to measure.';
    return;
  }
  element('start').disabled = true;
  element('stop').disabled = false;
  progressBar.hidden = false;
  progressBar.value = 0;
  element('results').replaceChildren();
  // Two runs at once would measure each other, and remove each other's databases.
  status.textContent = await navigator.locks.request('potoroo-benchmark', { ifAvailable: true }, (lock) =>
    lock ? runUntilStopped(choices) : 'The benchmark runs in another tab already.',
  );
  element('start').disabled = false;
  element('stop').disabled = true;
  progressBar.hidden = true;
});
