// What the measurements run in: the browser, the server of its pages, and the facts about both for the header.
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { launchChromium } from '../../tests/support/browsers.mjs';
import { serveStatic } from '../../tests/support/static.mjs';
import { startRemotes } from './remotes.mjs';
import { makeWorkloads } from './workloads/index.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Scripts of these contestants that are not there. */
export function missingScripts(contestants) {
  return contestants.flatMap(({ scripts }) => scripts).filter((script) => !existsSync(join(root, script)));
}

export async function startEnvironment({ couch, cors }) {
  const files = await serveStatic(root);
  const args = ['--js-flags=--expose-gc', ...(cors ? [] : ['--disable-web-security'])];
  // Without this playwright ends the process on Ctrl+C before the databases on the server are gone.
  const context = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  const browser = await launchChromium({ args, context }).catch(async (error) => {
    await files.stop();
    throw error;
  });
  const address = `${files.url}/www/bench/page/index.html`;
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
    newPage: () => browser.newPage(address),
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
  }
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

/** Version and download size of each library, the way the page loads it. */
export async function describeLibraries(contestants) {
  const require = createRequire(import.meta.url);
  const versions = {
    potoroo: () => JSON.parse(readFileSync(join(root, 'pkg/package.json'), 'utf8')).version,
    pouchdb: () => require('pouchdb/package.json').version,
  };
  const libraries = [];
  for (const { id, title, scripts } of contestants) {
    if (scripts.length === 0) continue;
    const contents = await Promise.all(scripts.map((script) => readFile(join(root, script))));
    libraries.push({
      id,
      title,
      version: versions[id.split('-')[0]](),
      bytes: contents.reduce((sum, content) => sum + content.length, 0),
      gzipBytes: contents.reduce((sum, content) => sum + gzipSync(content).length, 0),
    });
  }
  return libraries;
}
