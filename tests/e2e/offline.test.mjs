// The board with the network, the server and the app's own web server gone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCouch } from '../support/couch.mjs';
import { openBoard, serveApp } from './board.mjs';

let couch;
let app;
let remote;
let ada;

before(async () => {
  couch = await startCouch();
  app = await serveApp();
  remote = await couch.freshDatabase('board');
  ada = await openBoard({ app, remote });
  await ada.state('Up to date');
});

after(async () => {
  await ada?.close();
  await app?.stop();
  await couch?.stop();
});

test('while working offline nothing is sent, and afterwards everything is', async () => {
  await ada.workOffline(true);
  await ada.state('Working offline');
  await ada.add('Ideas', 'Written on the train');
  const name = new URL(remote).pathname;
  const held = await couch.request('GET', `${name}/_all_docs?include_docs=true`);
  assert.equal(held.rows.filter((row) => row.doc.text === 'Written on the train').length, 0);
  await ada.workOffline(false);
  await ada.state('Up to date');
  const sent = await couch.request('GET', `${name}/_all_docs?include_docs=true`);
  assert.equal(sent.rows.filter((row) => row.doc.text === 'Written on the train').length, 1);
});

test('a wrong address is explained before it is used, a useless one after', async () => {
  const add = (address) =>
    ada.inPanel(async (panel) => {
      await panel.getByLabel('Add a database').fill(address);
      await panel.getByRole('button', { name: 'Add', exact: true }).click();
    });
  await add('not an address');
  await ada.panel.getByText('Write the whole address').waitFor();
  await add(couch.url);
  await ada.panel.getByText('Add the name of the database').waitFor();
  await add(remote);
  await ada.panel.getByText('already syncs with this address').waitFor();
  // Nobody listens on port 1.
  await add('http://127.0.0.1:1/board');
  const row = ada.panel.locator('.remote', { hasText: '127.0.0.1:1/board' });
  await row.getByText('Offline, trying again').waitFor();
  await ada.state('Offline, trying again');
  await row.getByRole('button', { name: 'Stop syncing' }).click();
  await ada.state('Up to date');
});

test('the app can be installed: a manifest with icons, and a service worker in charge', async () => {
  const controlled = await ada.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    return Boolean(navigator.serviceWorker.controller);
  });
  assert.equal(controlled, true);
  const manifest = await ada.page.evaluate(async () => {
    const response = await fetch(document.querySelector('link[rel=manifest]').href);
    return response.json();
  });
  assert.equal(manifest.display, 'standalone');
  const sizes = manifest.icons.map((icon) => icon.sizes);
  assert.ok(sizes.includes('192x192') && sizes.includes('512x512'), `icons: ${sizes}`);
  const session = await ada.page.context().newCDPSession(ada.page);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  // A test profile is like a private window, where Chromium never installs.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), []);
});

test('with every server gone a reload shows the board, takes edits and sends them later', async () => {
  await ada.edit('Written on the train', 'Written on the train\nand read in a tunnel');
  await ada.state('Up to date');
  await couch.kill();
  const port = app.port;
  await app.stop();

  await ada.page.reload();
  await ada.ready();
  await ada.sees('Written on the train');
  await ada.page.getByText('and read in a tunnel').waitFor();
  await ada.state('Offline, trying again');
  await ada.add('Done', 'Still here');
  // Shown at once, listed here when the database has it.
  await ada.page.locator('.recent li', { hasText: 'Added “Still here”' }).waitFor();
  await ada.page.reload();
  await ada.ready();
  await ada.sees('Still here');
  await ada.screenshot('offline');

  await couch.restart();
  app = await serveApp({ port });
  await ada.state('Up to date');
  const sent = await couch.request('GET', `${new URL(remote).pathname}/_all_docs?include_docs=true`);
  assert.equal(sent.rows.filter((row) => row.doc.text === 'Still here').length, 1);
});

test('nobody saw an uncaught error', () => ada.unharmed());
