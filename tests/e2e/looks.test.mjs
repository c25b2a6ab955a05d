// Pictures for people to look at (tests/output), and what can be checked about the looks without eyes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCouch } from '../support/couch.mjs';
import { welcomeCards } from '../../www/welcome.mjs';
import { openBoard, serveApp } from './board.mjs';

let couch;
let app;
let remote;

const views = {
  desktop: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  'phone-dark': { viewport: { width: 360, height: 740 }, colorScheme: 'dark', hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
};

before(async () => {
  couch = await startCouch();
  app = await serveApp();
  remote = await couch.freshDatabase('board');
  await couch.request('POST', `${new URL(remote).pathname}/_bulk_docs`, { docs: welcomeCards });
});

after(async () => {
  await app?.stop();
  await couch?.stop();
});

for (const [name, context] of Object.entries(views)) {
  test(`the board on ${name}: nothing sticks out, every control has a name and a size to hit`, async () => {
    const board = await openBoard({ app, remote, context });
    try {
      await board.sees('Click a note to edit it');
      await board.state('Up to date');
      const widths = await board.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(widths[0] <= widths[1], `the page is ${widths[0]} wide in a window of ${widths[1]}`);
      await board.screenshot(name);
      await board.inPanel(() => board.screenshot(`${name}-panel`));
      assert.deepEqual(await nameless(board.page), []);
      assert.deepEqual(await tiny(board.page, context.hasTouch ? 40 : 24), []);
      await board.note('Click a note to edit it').locator('.words').click();
      await board.screenshot(`${name}-edit`);
      board.unharmed();
    } finally {
      await board.close();
    }
  });
}

/** Buttons and fields that a screen reader could not name. */
function nameless(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, input, textarea')]
      .filter((element) => !(element.getAttribute('aria-label') || element.textContent.trim() || element.labels?.length))
      .map((element) => element.outerHTML.slice(0, 120)),
  );
}

/** Buttons too small for a finger or an unsteady hand. */
function tiny(page, least) {
  return page.evaluate(
    (size) =>
      [...document.querySelectorAll('button')]
        .map((element) => ({ html: element.outerHTML.slice(0, 80), height: element.getBoundingClientRect().height }))
        .filter(({ height }) => height > 0 && height < size),
    least,
  );
}
