// The desk at work, a browser, and people who look at the desk with it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A setting that `cargo xtask test browser` makes. */
export function given(name) {
  return process.env[name] ?? assert.fail(`${name} is not set: the steps of cargo xtask test set it`);
}

const tools = given('MODSTREAM_TEST_TOOLS');
const require = createRequire(join(tools, 'package.json'));
const { chromium } = require('playwright-core');

/** The source of axe, which finds what keeps people out of a page. */
export const axe = require('axe-core').source;

/** A browser of its own profile; one for a file of tests. */
export async function launch() {
  const found = process.env.MODSTREAM_TEST_BROWSER;
  const folder = join(tools, 'chromium');
  const own = {
    LD_LIBRARY_PATH: join(folder, 'al2023/lib'),
    FONTCONFIG_PATH: join(folder, 'fonts'),
    XDG_CACHE_HOME: join(folder, 'cache'),
  };
  const start = (chromiumSandbox) => chromium.launch({
    executablePath: found ?? join(folder, 'chromium'),
    env: found ? process.env : { ...process.env, ...own },
    chromiumSandbox,
    // Headless, without a first run, updates and calls home: that is how it is driven in any case.
    args: ['--disable-gpu', '--disable-quic', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *.localhost'],
  });
  // Chromium gives root no sandbox, and some systems give none to a program that they don't know. The pages are our own.
  if (process.getuid() === 0) return start(false);
  return start(true).catch((error) => (/sandbox/i.test(error.message) ? start(false) : Promise.reject(error)));
}

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill()));

/** How many of the sample comments alert at the policy below, by the built-in models: more than a page shows. */
export const ALERTS = 64;
const POLICY = ['--policy', '0.6'];
/** The same without labels: severity follows the probability, and one policy makes all alerts. */
export const BY_REMOVAL = { alerts: 60, args: [...POLICY, '--harm-model', 'none'] };

/** `modstream desk` with a moderator each for `names`, ended with the test. */
export async function open(t, { names = ['ana', 'ben'], args = POLICY } = {}) {
  const moderators = names.flatMap((name) => ['--moderator', name]);
  const child = spawn(given('MODSTREAM_TEST_COMMAND'), ['desk', '--port', '0', '--link-only', ...moderators, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  t.after(async () => {
    const ended = once(child, 'exit');
    child.kill();
    await ended;
    running.delete(child);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value ?? assert.fail('the desk did not open');
  // Without an alert there is no link to one, and nothing to wait for.
  const late = setTimeout(() => child.kill(), 60_000);
  const signIn = {};
  for (const name of names) signIn[name] = await line();
  const alert = await line();
  clearTimeout(late);
  return { url: new URL(signIn[names[0]]).origin, signIn, alert };
}

/**
 * A page in a profile of its own. At the test's end nothing may have been asked for elsewhere, nothing may have been said on
 * the console (where a broken content security policy shows) but what is `expected`, and no script may have failed.
 */
export async function visit(t, browser, desk, { expected = null, ...options } = {}) {
  const context = await browser.newContext({ baseURL: desk.url, ...options });
  const complaints = [];
  context.on('console', (message) => {
    // The status of a page that refuses: one that the browser went to, or the answer to a decision.
    const { url } = message.location();
    const isPage = url === message.page()?.url() || new URL(url, desk.url).pathname === '/decide';
    const isStatusOfPage = message.text().startsWith('Failed to load resource: the server responded') && isPage;
    if (['error', 'warning'].includes(message.type()) && !isStatusOfPage && !expected?.test(message.text())) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  context.on('request', (request) => new URL(request.url()).origin === desk.url || complaints.push(`asked for ${request.url()}`));
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  return context.newPage();
}

/** Waits until a new page takes clicks. */
export async function ready(page) {
  for (const limit = Date.now() + 30_000; Date.now() < limit;) {
    // Asked for from here: without JavaScript a page can't be made to wait.
    const taken = await page.evaluate(() => [...document.querySelectorAll('button')].map((one) => getComputedStyle(one).pointerEvents));
    if (taken.every((one) => one === 'auto')) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.fail('no button takes a click');
}

/** Clicks, where a page that has just come does not take it for half of a double click. */
export async function click(button) {
  await button.waitFor();
  await ready(button.page());
  await button.click();
}

/** The page of a moderator who signed in. */
export async function signIn(t, browser, desk, name, options) {
  const page = await visit(t, browser, desk, options);
  await page.goto(desk.signIn[name]);
  await click(page.getByRole('button', { name: 'Sign in' }));
  await page.waitForURL(`${desk.url}/`);
  await ready(page);
  return page;
}

/** How many alerts wait, by the headline. */
export async function waiting(page) {
  const text = await page.locator('h1').innerText();
  return text === 'No alerts waiting' ? 0 : Number(/^(\d+) alerts? waiting$/.exec(text)?.[1] ?? assert.fail(text));
}

/** One of the day's numbers. */
export async function number(page, name) {
  return (await page.locator('dl > div').filter({ has: page.locator('dt', { hasText: name }) }).locator('dd').innerText()).trim();
}

/** The text of an alert in the queue, also of one that is blurred. */
export async function text(item) {
  return item.locator('.comment > div').textContent();
}

/** Keeps a picture of a page to look at. */
export async function picture(page, name) {
  const folder = given('MODSTREAM_TEST_PICTURES');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
