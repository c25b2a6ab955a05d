// Chromium and Firefox behind one small surface, so that a test runs unchanged in both.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Pages of a test are often in the background; their timers must go on at full speed.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/**
 * Chromium (the program named by CHROMIUM, or /usr/bin/chromium), headless.
 *
 * `userDataDir` keeps the profile; without it there is a fresh one, removed on close. `args` are added to the command line;
 * `context` goes to playwright (viewport, colorScheme, hasTouch and so on). With `backForwardCache` pages are kept when they
 * are left, as for people; the driver has that switched off.
 * The result: `name`, `newPage(url)`, `close()`, and `context`, playwright's own, for what only Chromium can do.
 */
export async function launchChromium({ userDataDir, args = [], context: contextOptions = {}, backForwardCache = false } = {}) {
  const { chromium } = await import('playwright-core');
  const profile = userDataDir ?? mkdtempSync(join(tmpdir(), 'potoroo-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [...chromiumArguments, ...args],
    ignoreDefaultArgs: backForwardCache ? ['--disable-back-forward-cache'] : undefined,
    ...contextOptions,
  });
  // The empty page every profile starts with.
  for (const page of context.pages()) await page.close().catch(() => {});
  return {
    name: 'chromium',
    context,
    newPage: async (url) => open(await context.newPage(), url),
    async close() {
      await context.close();
      if (!userDataDir) removeFolder(profile);
    },
  };
}

/**
 * Firefox (the program named by FIREFOX, or /usr/bin/firefox-esr), headless; the same surface without `context`.
 * `preferences` are added to those of the profile.
 */
export async function launchFirefox({ userDataDir, args = [], preferences = {} } = {}) {
  const { default: puppeteer } = await import('puppeteer-core');
  const profile = userDataDir ?? mkdtempSync(join(tmpdir(), 'potoroo-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    userDataDir: profile,
    args,
    // A suite is one call, and has a limit of its own; without this it would be three minutes.
    protocolTimeout: 11 * 60_000,
    extraPrefsFirefox: { 'dom.disable_beforeunload': true, ...preferences },
  });
  return {
    name: 'firefox',
    newPage: async (url) => open(await browser.newPage(), url),
    async close() {
      await browser.close();
      if (!userDataDir) removeFolder(profile);
    },
  };
}

/** Both browsers by name, for tests that run in each. */
export const launchers = { chromium: launchChromium, firefox: launchFirefox };

function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/**
 * The common surface of a page: `evaluate(fn, ...args)` (promises are awaited), `goto(url)`, `follow(url)` and
 * `back()` (whether the page is loaded or was kept), `reload()`, `close()`,
 * `on('console', (text, type) => ...)`, `errors` (texts of uncaught errors so far), and `native`, the driver's own page.
 */
async function open(native, url) {
  const errors = [];
  native.on('pageerror', (error) => errors.push(String(error?.message ?? error)));
  const page = {
    native,
    errors,
    // playwright passes one argument only, so the list goes as one and is spread in the page.
    evaluate: (fn, ...args) =>
      native.evaluate(({ source, list }) => (0, eval)(`(${source})`)(...list), { source: fn.toString(), list: args }),
    goto: (address) => native.goto(address),
    // As a person does it. The drivers wait for a load that does not come where a page was kept.
    back: () => move(() => history.back()),
    follow: (address) => move((to) => location.assign(to), address),
    reload: () => native.reload(),
    close: () => native.close(),
    on(event, listener) {
      if (event !== 'console') throw new Error(`a page has no event ${event}`);
      native.on('console', (message) => listener(message.text(), message.type()));
    },
  };
  async function move(action, ...args) {
    const there = () => page.evaluate(() => (document.readyState === 'complete' ? location.href : undefined)).catch(() => undefined);
    const left = await there();
    await page.evaluate((source, list) => void setTimeout(() => (0, eval)(`(${source})`)(...list)), action.toString(), args);
    for (;;) {
      // Between two pages there is none to ask, and Firefox may never answer.
      const address = await Promise.race([there(), new Promise((resolve) => setTimeout(resolve, 200))]);
      if (address !== undefined && address !== left && address !== 'about:blank') return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  if (url) await page.goto(url);
  return page;
}
