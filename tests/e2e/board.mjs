// The board as a test uses it: by what a person sees and does, in a browser profile of its own.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../support/browsers.mjs';
import { serveStatic } from '../support/static.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const screenshots = join(root, 'tests/output');

/** Serves the built app. */
export const serveApp = (options) => serveStatic(join(root, 'www/dist'), options);

/** Somebody with a browser: a fresh profile, looking at the board. `remote` is synced with from the start. */
export async function openBoard({ app, remote, context, query = {} }) {
  const browser = await launchChromium({ context: { viewport: { width: 1280, height: 800 }, ...context } });
  const { native } = await browser.newPage();
  const errors = [];
  native.on('pageerror', (error) => errors.push(error));
  const parameters = new URLSearchParams({ ...query, ...(remote && { remote }) });
  await native.goto(`${app.url}/?${parameters}`);
  const board = describe(native, errors);
  await board.ready();
  return { ...board, page: native, errors, close: () => browser.close() };
}

function describe(page, errors) {
  const note = (text) => page.locator('.card').filter({ has: page.locator('.first', { hasText: exactly(text) }) });
  const column = (title) => page.locator('.column').filter({ has: page.locator('h2', { hasText: exactly(title) }) });
  const panel = page.locator('#side-panel');

  async function inPanel(act) {
    const open = await panel.isVisible();
    if (!open) await page.locator('button.status').click();
    await act(panel);
    if (!open) await panel.getByRole('button', { name: 'Close the panel' }).click();
  }

  return {
    note,
    column,
    panel,
    ready: () => page.locator('main[aria-busy=false] .column').first().waitFor(),
    /** Waits until the header shows this, for example "Up to date". */
    state: (words) => page.locator('button.status', { hasText: exactly(words) }).waitFor({ timeout: 60_000 }),
    async add(columnTitle, text) {
      await column(columnTitle).getByRole('button', { name: 'Add a note' }).click();
      await page.locator('.note-editor textarea').fill(text);
      await page.keyboard.press('Enter');
      await page.keyboard.press('Escape');
    },
    async edit(from, to) {
      await note(from).locator('.words').click();
      await page.locator('.note-editor textarea').fill(to);
      await page.keyboard.press('Enter');
      await note(to.split('\n')[0]).waitFor();
    },
    async remove(text) {
      await note(text).focus();
      await page.keyboard.press('Delete');
      await note(text).waitFor({ state: 'detached' });
    },
    /** The first lines of a column's notes, from top to bottom. */
    notesIn: (title) => column(title).locator('.card .first').allTextContents(),
    sees: (text) => note(text).waitFor({ timeout: 60_000 }),
    misses: (text) => note(text).waitFor({ state: 'detached', timeout: 60_000 }),
    workOffline: (on) => inPanel((open) => open.getByRole('switch', { name: 'Work offline' }).setChecked(on, { force: true })),
    inPanel,
    async screenshot(name) {
      mkdirSync(screenshots, { recursive: true });
      await page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
    },
    /** Fails on errors nobody caught; call it at the end. */
    unharmed() {
      if (errors.length > 0) throw errors[0];
    },
  };
}

function exactly(text) {
  return new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);
}
