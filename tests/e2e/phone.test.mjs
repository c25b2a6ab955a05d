// The board with a finger, and its columns.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCouch } from '../support/couch.mjs';
import { welcomeCards } from '../../www/welcome.mjs';
import { openBoard, serveApp } from './board.mjs';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
let couch;
let app;
let phoneBoard;
let deskBoard;

before(async () => {
  couch = await startCouch();
  app = await serveApp();
  const remote = await couch.freshDatabase('board');
  await couch.request('POST', `${new URL(remote).pathname}/_bulk_docs`, { docs: welcomeCards });
  phoneBoard = await openBoard({ app, remote, context: phone });
  deskBoard = await openBoard({ app, remote });
  await Promise.all([phoneBoard.sees('Click a note to edit it'), deskBoard.sees('Click a note to edit it')]);
  await Promise.all([phoneBoard.state('Up to date'), deskBoard.state('Up to date')]);
});

after(async () => {
  await phoneBoard?.close();
  await deskBoard?.close();
  await app?.stop();
  await couch?.stop();
});

test('a held note follows the finger to another place', async () => {
  assert.deepEqual(await phoneBoard.notesIn('Ideas'), ['Click a note to edit it', 'Drag notes where they belong']);
  // Notes move to their places when they come: what is measured has to stand still.
  for (const text of ['Click a note to edit it', 'Drag notes where they belong']) await phoneBoard.note(text).tap({ trial: true });
  const from = await phoneBoard.note('Click a note to edit it').boundingBox();
  const to = await phoneBoard.note('Drag notes where they belong').boundingBox();
  const session = await phoneBoard.page.context().newCDPSession(phoneBoard.page);
  const touch = (type, ...touchPoints) => session.send('Input.dispatchTouchEvent', { type, touchPoints });
  const x = from.x + 40;
  await touch('touchStart', { x, y: from.y + 20 });
  // The hold that picks a note up instead of scrolling.
  await phoneBoard.page.locator('.sortable-chosen').waitFor();
  await phoneBoard.page.waitForTimeout(300);
  for (let step = 1; step <= 10; step += 1) {
    await touch('touchMove', { x, y: from.y + 20 + ((to.y + to.height - from.y) * step) / 10 });
    await phoneBoard.page.waitForTimeout(20);
  }
  await touch('touchEnd');
  await deskBoard.page.locator('.column').first().locator('.first', { hasText: 'Drag notes' }).and(deskBoard.page.locator('.card:first-child .first')).waitFor();
  assert.deepEqual(await phoneBoard.notesIn('Ideas'), ['Drag notes where they belong', 'Click a note to edit it']);
  assert.deepEqual(await deskBoard.notesIn('Ideas'), await phoneBoard.notesIn('Ideas'));
});

test('the menu of a note moves it to another column', async () => {
  await phoneBoard.note('Click a note to edit it').getByRole('button').tap();
  await phoneBoard.page.getByRole('menuitem', { name: 'Move to Done' }).tap();
  await deskBoard.column('Done').locator('.first', { hasText: 'Click a note' }).waitFor();
  assert.deepEqual(await deskBoard.notesIn('Done'), ['Stop the server and reload', 'Click a note to edit it']);
});

test('columns that are added, renamed and deleted are so for the other person too', async () => {
  const titles = (board) => board.page.locator('.column h2').allTextContents();
  await phoneBoard.page.getByRole('button', { name: 'Add a column' }).tap();
  await phoneBoard.page.getByLabel('Title of the new column').fill('Later');
  await phoneBoard.page.keyboard.press('Enter');
  await deskBoard.column('Later').waitFor();
  assert.deepEqual(await titles(deskBoard), ['Ideas', 'Doing', 'Done', 'Later']);
  await deskBoard.column('Later').getByRole('button', { name: 'Later', exact: true }).click();
  await deskBoard.page.getByLabel('Title of the column').fill('Some day');
  await deskBoard.page.keyboard.press('Enter');
  await phoneBoard.column('Some day').waitFor();
  await phoneBoard.column('Some day').getByRole('button', { name: 'Delete the column' }).tap();
  await deskBoard.column('Some day').waitFor({ state: 'detached' });
  assert.deepEqual(await titles(deskBoard), ['Ideas', 'Doing', 'Done']);
});

test('nobody saw an uncaught error', () => {
  phoneBoard.unharmed();
  deskBoard.unharmed();
});
