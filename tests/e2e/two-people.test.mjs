// Two people with a browser each, and the server between them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCouch } from '../support/couch.mjs';
import { startProxy } from '../support/proxy.mjs';
import { openBoard, serveApp } from './board.mjs';

let couch;
let app;
let proxies;
let ada;
let ben;

before(async () => {
  couch = await startCouch();
  app = await serveApp();
  const remote = await couch.freshDatabase('board');
  // Each has a way to the server that can be cut without the other noticing.
  proxies = await Promise.all([startProxy({ target: remote }), startProxy({ target: remote })]);
  ada = await openBoard({ app, remote: proxies[0].url });
  ben = await openBoard({ app, remote: proxies[1].url });
  await Promise.all([ada.state('Up to date'), ben.state('Up to date')]);
});

after(async () => {
  await ada?.close();
  await ben?.close();
  for (const proxy of proxies ?? []) await proxy.stop();
  await app?.stop();
  await couch?.stop();
});

async function disconnect() {
  for (const proxy of proxies) {
    proxy.refuse(true);
    proxy.cut();
  }
  await Promise.all([ada.state('Offline, trying again'), ben.state('Offline, trying again')]);
}

async function reconnect() {
  for (const proxy of proxies) proxy.refuse(false);
  await Promise.all([ada.state('Up to date'), ben.state('Up to date')]);
}

/** Both edit the same note while the network is away. */
async function editApart(from, adasText, bensText) {
  await disconnect();
  await ada.edit(from, adasText);
  await ben.edit(from, bensText);
  await reconnect();
  await Promise.all([ada.page.locator('.settle').waitFor(), ben.page.locator('.settle').waitFor()]);
}

test('two browsers that both start empty agree on the first columns without a conflict', async () => {
  for (const person of [ada, ben]) {
    assert.deepEqual(await person.page.locator('.column h2').allTextContents(), ['Ideas', 'Doing', 'Done']);
    assert.equal(await person.page.locator('.conflicts').count(), 0);
  }
});

test('a note written in one browser appears in the other', async () => {
  await ada.add('Ideas', 'Water the ferns');
  await ben.sees('Water the ferns');
});

test('fifty edits in one browser appear in the other, each in a moment', async () => {
  const edits = 50;
  await ada.add('Doing', 'Count 0');
  await ben.sees('Count 0');
  const clock = () => performance.timeOrigin + performance.now();
  await ada.page.evaluate(`window.clock = ${clock}`);
  await ben.page.evaluate((source) => {
    const now = (0, eval)(source);
    window.seen = {};
    const look = () => {
      for (const element of document.querySelectorAll('.card .first')) window.seen[element.textContent] ??= now();
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  }, String(clock));
  const delays = [];
  for (let count = 1; count <= edits; count += 1) {
    await ada.page.evaluate(() => {
      window.addEventListener('keydown', (event) => event.key === 'Enter' && (window.pressed = window.clock()), { capture: true, once: true });
    });
    await ada.edit(`Count ${count - 1}`, `Count ${count}`);
    await ben.sees(`Count ${count}`);
    const pressed = await ada.page.evaluate(() => window.pressed);
    const seen = await ben.page.evaluate((text) => window.seen[text], `Count ${count}`);
    delays.push(seen - pressed);
  }
  delays.sort((a, b) => a - b);
  const [median, worst] = [delays[edits / 2], delays.at(-1)].map(Math.round);
  console.log(`from Enter in one browser to the words in the other: median ${median} ms, worst ${worst} ms of ${edits}`);
});

test('a note moved with the keyboard moves in the other browser', async () => {
  await ada.note('Water the ferns').focus();
  await ada.page.keyboard.press('Alt+ArrowRight');
  await ben.column('Doing').locator('.first', { hasText: 'Water the ferns' }).waitFor();
  assert.deepEqual(await ben.notesIn('Doing'), await ada.notesIn('Doing'));
});

test('a note dragged to another column arrives there in the other browser', async () => {
  await ada.page.locator('main').evaluate((main) => (main.scrollLeft = 0));
  const from = await ada.note('Water the ferns').boundingBox();
  const to = await ada.column('Done').locator('ol').boundingBox();
  await ada.page.mouse.move(from.x + 40, from.y + 15);
  await ada.page.mouse.down();
  await ada.page.mouse.move(to.x + 40, to.y + 20, { steps: 20 });
  await ada.column('Done').locator('.card').waitFor();
  await ada.page.mouse.up();
  await ben.column('Done').locator('.first', { hasText: 'Water the ferns' }).waitFor();
  assert.deepEqual(await ada.notesIn('Done'), ['Water the ferns']);
});

test('a deletion arrives, and undoing it arrives too', async () => {
  await ada.add('Ideas', 'A mistake');
  await ben.sees('A mistake');
  await ada.remove('A mistake');
  await ben.misses('A mistake');
  await ada.page.getByRole('button', { name: 'Undo' }).click();
  await ben.sees('A mistake');
  await ben.remove('A mistake');
  await ada.misses('A mistake');
});

test('an edit made apart by both shows the same winner and the conflict to both', async () => {
  await editApart('Water the ferns', 'Water the ferns on Monday', 'Water the ferns and the moss');
  const [winner] = await ada.notesIn('Done');
  assert.deepEqual(await ben.notesIn('Done'), [winner]);
  await ada.page.locator('.settle').click();
  const texts = await ada.page.locator('dialog .versions .text').allTextContents();
  assert.equal(texts[0].trim(), winner);
  assert.deepEqual(texts.map((text) => text.trim()).sort(), ['Water the ferns and the moss', 'Water the ferns on Monday']);
  await ada.screenshot('conflict');
});

test('keep both leaves one note of each version and no conflict', async () => {
  await ada.page.getByRole('button', { name: 'Keep both' }).click();
  for (const person of [ada, ben]) {
    await person.page.locator('.settle').waitFor({ state: 'detached' });
    await person.sees('Water the ferns on Monday');
    await person.sees('Water the ferns and the moss');
  }
  assert.deepEqual(await ada.notesIn('Done'), await ben.notesIn('Done'));
});

test('keep this one brings back the version that had lost', async () => {
  await editApart('Water the ferns on Monday', 'On Tuesday', 'On Wednesday');
  await ben.page.locator('.settle').click();
  const loser = ben.page.locator('dialog .versions li').nth(1);
  const chosen = (await loser.locator('.text').textContent()).trim();
  await loser.getByRole('button', { name: 'Keep this one' }).click();
  for (const person of [ada, ben]) {
    await person.sees(chosen);
    await person.page.locator('.settle').waitFor({ state: 'detached' });
    await person.misses(chosen === 'On Tuesday' ? 'On Wednesday' : 'On Tuesday');
  }
});

test('what is typed while somebody else changes the same note is kept beside theirs', async () => {
  await ada.add('Ideas', 'Typed over');
  await ben.sees('Typed over');
  await ada.note('Typed over').locator('.words').click();
  await ada.page.locator('.note-editor textarea').fill('Typed over by Ada');
  await ben.edit('Typed over', 'Typed over by Ben');
  // The other edit must have reached this browser while the editor is still open.
  await ada.page.locator('.recent li', { hasText: 'Edited “Typed over by Ben”' }).waitFor();
  await ada.page.keyboard.press('Enter');
  await Promise.all([ada.page.locator('.settle').waitFor(), ben.page.locator('.settle').waitFor()]);
  await ada.page.locator('.settle').click();
  const texts = await ada.page.locator('dialog .versions .text').allTextContents();
  assert.deepEqual(texts.map((text) => text.trim()).sort(), ['Typed over by Ada', 'Typed over by Ben']);
  await ada.page.getByRole('button', { name: 'Keep both' }).click();
  await ben.page.locator('.settle').waitFor({ state: 'detached' });
});

test('nobody saw an uncaught error', () => {
  ada.unharmed();
  ben.unharmed();
});
