// The server dies in the middle of a long pull and comes back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from '../support/browsers.mjs';
import { startCouch } from '../support/couch.mjs';
import { startProxy } from '../support/proxy.mjs';
import { serveLibrary } from './library.mjs';

const total = 5000;
let couch;
let proxy;
let site;
let browser;
let path;

before(async () => {
  couch = await startCouch();
  const remote = await couch.freshDatabase('pull');
  path = new URL(remote).pathname;
  for (let from = 0; from < total; from += 1000) {
    const docs = Array.from({ length: 1000 }, (_, index) => ({ _id: idOf(from + index), number: from + index, filler: 'x'.repeat(1000) }));
    await couch.request('POST', `${path}/_bulk_docs`, { docs });
  }
  proxy = await startProxy({ target: remote });
  site = await serveLibrary();
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await site?.stop();
  await proxy?.stop();
  await couch?.stop();
});

const idOf = (number) => `doc-${String(number).padStart(5, '0')}`;

test(`a live pull of ${total} documents survives a SIGKILL of the server and goes on by itself`, { timeout: 240_000 }, async () => {
  const page = await browser.newPage(`${site.url}/page.html`);
  // More than the changes feed, far less than all documents: wherever the replication stands, it is in the middle.
  const inTheMiddle = proxy.stallAfter(3_000_000);
  await page.evaluate((remote) => {
    window.events = [];
    const pull = open('pull').replicate.from(remote, { live: true, retry: true });
    for (const name of ['active', 'paused', 'error', 'complete']) pull.on(name, (info) => window.events.push(name + (info?.message ? `: ${info.message}` : '')));
  }, proxy.url);
  await inTheMiddle;
  const countAtKill = await page.evaluate(async () => (await open('pull').info()).doc_count);
  await couch.kill();
  proxy.stall(false);
  assert.ok(countAtKill < total, `all ${countAtKill} documents had arrived before the server was killed`);
  // It must have noticed, not just be slow.
  await page.evaluate(async () => {
    while (!window.events.some((event) => event.startsWith('paused'))) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  await couch.restart();

  const count = await page.evaluate(async (expected) => {
    for (;;) {
      const { doc_count } = await open('pull').info();
      if (doc_count >= expected || window.events.includes('complete') || window.events.some((event) => event.startsWith('error'))) return doc_count;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }, total);
  const events = await page.evaluate(() => window.events);
  assert.equal(count, total, `events: ${events.join(', ')}`);
  console.log(`${countAtKill} of ${total} documents had arrived when the server was killed`);

  const wrong = await page.evaluate(async () => {
    const { rows } = await open('pull').allDocs({ include_docs: true });
    return rows.filter((row, index) => row.doc.number !== index || row.doc.filler.length !== 1000).map((row) => row.id);
  });
  assert.deepEqual(wrong, [], 'documents that are not what the server has');

  await couch.request('PUT', `${path}/later`, { number: total });
  const later = await page.evaluate(async () => {
    for (;;) {
      const found = await open('pull').get('later').catch((error) => error.status);
      if (found !== 404) return found.number;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  assert.equal(later, total, 'the feed is live again');
});
