// What the measurements run in: the browser, the server of its pages, and the facts about both for the header.
import { existsSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { launchChromium } from '../../tests/support/browsers.mjs';
import { serveStatic } from '../../tests/support/static.mjs';
import { root } from './libraries/build.mjs';
import { startRemotes } from './remotes.mjs';
import { makeWorkloads } from './workloads/index.mjs';

/** What makes a page isolated from other origins: only such a page is told how much memory it takes. */
const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** Scripts of these contestants that are not there. */
export function missingScripts(contestants) {
  return contestants.flatMap(({ scripts }) => scripts).filter((script) => !existsSync(join(root, script)));
}

export async function startEnvironment({ couch, cors }) {
  const files = await serveStatic(root);
  const isolated = await serveStatic(root, { headers: isolation });
  const args = [
    '--js-flags=--expose-gc',
    // Without it a page is told its memory at the next collection of garbage that happens to come.
    '--enable-blink-features=ForceEagerMeasureMemory',
    ...(cors ? [] : ['--disable-web-security']),
  ];
  // Without this playwright ends the process on Ctrl+C before the databases on the server are gone.
  const context = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  const browser = await launchChromium({ args, context }).catch(async (error) => {
    await files.stop();
    await isolated.stop();
    throw error;
  });
  const path = '/www/bench/page/index.html';
  const address = files.url + path;
  // Browsers know every name under localhost for this machine.
  const addressIn = (origin) => (origin ? `http://${origin}.localhost:${isolated.port}${path}` : address);
  let remotes;
  let stopping;

  const blank = await browser.newPage(address);
  const version = await blank.evaluate(
    () => navigator.userAgentData?.brands?.length && navigator.userAgentData.getHighEntropyValues(['fullVersionList']),
  );
  // A page stays open all the time: Chromium would end with its last one.
  return {
    chromium: version?.fullVersionList?.find(({ brand }) => /Chrom/.test(brand))?.version ?? 'unknown version',
    warnings: [],
    separatesOrigins: true,
    newPage: async (origin) => asLane(await browser.newPage(addressIn(origin))),
    workload: (id, sizes) => makeWorkloads(sizes).find((workload) => workload.id === id),
    /** Started when the first workload asks for it. */
    remotes() {
      remotes ??= startRemotes(couch);
      return remotes;
    },
    /** Throws once `stop` was called: what is still going on must not begin anything new. */
    checkRunning() {
      if (stopping) throw new Error('interrupted');
    },
    /** May be called again while it runs. */
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
  };

  async function stopAll() {
    await browser.close().catch(() => {});
    await (await remotes?.catch(() => undefined))?.stop();
    await files.stop();
    await isolated.stop();
  }
}

/** What measure.mjs asks of a page. */
function asLane(page) {
  return {
    errors: page.errors,
    start: (id) => page.evaluate((given) => globalThis.bench.start(given), id),
    step: (context) => page.evaluate((given) => globalThis.bench.step(given), context),
    bringToFront: () => page.native.bringToFront(),
    reload: () => page.reload(),
    close: () => page.close(),
  };
}

/** What a reader must know to judge the numbers. */
export async function describeMachine() {
  const [cpu] = os.cpus();
  return {
    date: new Date().toISOString(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    cpus: os.availableParallelism(),
    cpuModel: cpu?.model.trim() || 'unknown processor',
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    loadAverage: os.loadavg()[0],
    node: process.version,
  };
}
