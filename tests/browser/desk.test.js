// The queue: who sees what, and what keys and clicks do.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ALERTS, BY_REMOVAL, click, launch, number, open, picture, ready, signIn, text, visit, waiting } from './support.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const SEVERITIES = ['high', 'medium', 'low'];

const items = (page) => page.locator('li.item');
const focused = (page) => page.locator('li.item:focus');
/** Waits for the page that follows a decision. */
const decided = (page, words) => page.getByRole('status').filter({ hasText: words }).waitFor();

/** New pages stay as they are in their first moment, until they are let go. */
async function hold(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Animation.enable');
  await session.send('Animation.setPlaybackRate', { playbackRate: 0 });
  return () => session.send('Animation.setPlaybackRate', { playbackRate: 1 });
}

test('the queue has the most severe first, then the oldest', async (t) => {
  const page = await signIn(t, browser, await open(t, { args: BY_REMOVAL.args }), 'ana');
  const shown = await items(page).evaluateAll((all) => all.map((item) => ({
    severity: item.querySelector('.severity').textContent,
    time: item.querySelector('time').dateTime,
  })));
  assert.equal(shown.length, 50);
  assert.equal(await waiting(page), BY_REMOVAL.alerts);
  const rank = ({ severity, time }) => `${SEVERITIES.indexOf(severity)} ${time}`;
  assert.deepEqual(shown.map(rank), shown.map(rank).sort());
  assert.deepEqual(new Set(shown.map(({ severity }) => severity)), new Set(['medium', 'low']));
});

test('keys move, remove, keep and undo, and one goes on where one was', async (t) => {
  const page = await signIn(t, browser, await open(t), 'ana');
  const texts = await Promise.all([0, 1, 2, 3].map((at) => text(items(page).nth(at))));
  const ring = (at) => items(page).nth(at).evaluate((item) => getComputedStyle(item).boxShadow);
  assert.equal(await ring(0), 'none');
  await page.keyboard.press('r');
  await page.keyboard.press('k');
  assert.equal(await text(focused(page)), texts[0], 'without a place there is nothing to remove, and any move goes to the first');
  assert.notEqual(await ring(0), 'none', 'the place is seen');
  for (const [key, at] of [['j', 1], ['j', 2], ['k', 1]]) {
    await page.keyboard.press(key);
    assert.equal(await text(focused(page)), texts[at], key);
  }

  await page.keyboard.press('r');
  await decided(page, 'ana decided to remove it');
  assert.equal(await waiting(page), ALERTS - 1);
  assert.equal(await text(focused(page)), texts[2], 'the one after');
  await ready(page);
  await page.keyboard.press('x');
  await decided(page, 'ana decided to keep it');
  assert.equal(await text(focused(page)), texts[3]);
  assert.equal(await number(page, 'Decided'), '2');

  await ready(page);
  await page.keyboard.press('u');
  await decided(page, 'The decision was undone');
  assert.equal(await text(focused(page)), texts[2], 'what was undone');
  assert.equal(await waiting(page), ALERTS - 1);
  assert.equal(await number(page, 'Decided'), '1');

  // Where the page says nothing of an own decision, what others decided stays.
  for (let times = 0; times < 2; times++) {
    await page.goto('/');
    await ready(page);
    await page.keyboard.press('u');
  }
  await page.goto('/');
  assert.deepEqual([await waiting(page), await number(page, 'Decided')], [ALERTS - 1, '1']);
});

test('a double click decides once', async (t) => {
  const page = await signIn(t, browser, await open(t), 'ana');
  const release = await hold(page);
  const second = await text(items(page).nth(1));
  const button = items(page).first().locator('button.remove');
  await button.dblclick({ force: true });
  await decided(page, 'ana decided to remove it');
  // On a fast machine the next alert's button is under the pointer before the second click.
  for (const remove of await page.locator('button.remove').all()) {
    const box = await remove.boundingBox();
    if (box.y < 700) await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  }
  await release();
  await ready(page);
  assert.equal(await text(items(page).first()), second);
  await page.goto('/');
  assert.deepEqual([await waiting(page), await number(page, 'Decided')], [ALERTS - 1, '1']);
});

test('a key that is held decides once', async (t) => {
  const page = await signIn(t, browser, await open(t), 'ana');
  await page.keyboard.press('j');
  // The second one of the same key, without one that is let go, is a repeat.
  await page.keyboard.down('r');
  await page.keyboard.down('r');
  await page.keyboard.down('r');
  await decided(page, 'ana decided to remove it');
  await page.keyboard.up('r');
  await ready(page);
  await page.goto('/');
  assert.deepEqual([await waiting(page), await number(page, 'Decided')], [ALERTS - 1, '1']);
});

test('keys pressed right after a decision go on with the pages that follow, in their order', async (t) => {
  const page = await signIn(t, browser, await open(t), 'ana');
  const texts = await Promise.all([0, 1, 2, 3, 4].map((at) => text(items(page).nth(at))));
  await page.keyboard.press('j');
  // Faster than any page comes: keep the first, remove the second, leave out the third, keep the fourth, take that back.
  for (const key of ['x', 'r', 'j', 'x', 'u']) await page.keyboard.press(key);
  await decided(page, 'The decision was undone');
  assert.equal(await text(focused(page)), texts[3]);
  await ready(page);
  assert.deepEqual([await waiting(page), await number(page, 'Decided'), await number(page, 'Precision')], [ALERTS - 2, '2', '50\u00a0%\n9 to 91\u00a0%']);
  assert.deepEqual(await Promise.all([0, 1, 2].map((at) => text(items(page).nth(at)))), texts.slice(2));
});

test('keys wait for a page that does not take clicks yet, and none is lost', async (t) => {
  const page = await signIn(t, browser, await open(t), 'ana');
  const texts = await Promise.all([0, 1, 2].map((at) => text(items(page).nth(at))));
  await page.keyboard.press('j');
  const release = await hold(page);
  await page.keyboard.press('r');
  await decided(page, 'ana decided to remove it');
  await page.keyboard.press('x');
  assert.equal(await waiting(page), ALERTS - 1, 'the page is as it came');
  await release();
  await decided(page, 'ana decided to keep it');
  assert.deepEqual([await waiting(page), await text(focused(page))], [ALERTS - 2, texts[2]]);
  await page.goto('/');
  assert.deepEqual([await waiting(page), await number(page, 'Decided')], [ALERTS - 2, '2']);
});

/** Keeps decisions from the desk until they are let go; `sent` is fulfilled when the first was sent. */
async function holdDecisions(page) {
  let letGo;
  const held = new Promise((done) => { letGo = done; });
  let found;
  const sent = new Promise((done) => { found = done; });
  await page.route('**/decide', async (route) => { found(); await held; await route.continue(); });
  return { sent, letGo };
}

test('keys that are pressed while a decision is on its way are those of the page that follows', async (t) => {
  const page = await signIn(t, browser, await open(t), 'ana');
  const texts = await Promise.all([0, 1, 2].map((at) => text(items(page).nth(at))));
  const { sent, letGo } = await holdDecisions(page);
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await sent;
  await page.keyboard.press('j');
  await page.keyboard.press('r');
  assert.equal(await waiting(page), ALERTS, 'the page is as it was');
  letGo();
  await decided(page, 'ana decided to remove it');
  assert.equal(await text(items(page).first()), texts[1], 'what the second `j` left');
  await page.goto('/');
  assert.deepEqual([await waiting(page), await number(page, 'Decided')], [ALERTS - 2, '2']);
});

test('who clicks while a decision is on its way decides that one too', async (t) => {
  const page = await signIn(t, browser, await open(t), 'ana');
  const texts = await Promise.all([0, 1, 2].map((at) => text(items(page).nth(at))));
  const { sent, letGo } = await holdDecisions(page);
  await items(page).nth(0).getByRole('button', { name: 'Remove' }).click();
  await sent;
  await items(page).nth(0).getByRole('button', { name: 'Remove' }).click();
  await items(page).nth(1).getByRole('button', { name: 'Keep' }).click();
  letGo();
  await decided(page, 'ana decided to keep it');
  assert.deepEqual([await waiting(page), await text(items(page).first())], [ALERTS - 2, texts[2]]);
  assert.equal(await number(page, 'Decided'), '2');
});

test('a decision that finds no desk is left to the browser', async (t) => {
  const lost = /^Failed to load resource: net::ERR_/;
  const page = await signIn(t, browser, await open(t), 'ana', { expected: lost });
  const second = await text(items(page).nth(1));
  await page.route('**/decide', (route) => route.abort(), { times: 1 });
  await items(page).nth(0).getByRole('button', { name: 'Remove' }).click();
  await decided(page, 'ana decided to remove it');
  assert.deepEqual([await waiting(page), await number(page, 'Decided'), await text(items(page).first())], [ALERTS - 1, '1', second]);
  await page.reload();
  assert.deepEqual([await waiting(page), await number(page, 'Decided')], [ALERTS - 1, '1']);
});

test('keys that were pressed on another page than the desk are forgotten', async (t) => {
  const desk = await open(t);
  const [ana, ben] = [await signIn(t, browser, desk, 'ana'), await signIn(t, browser, desk, 'ben')];
  await click(items(ben).first().getByRole('button', { name: 'Keep' }));
  await decided(ben, 'ben decided to keep it');
  // Ana is second: the page that follows says so, and her next key was meant for another alert.
  await ana.keyboard.press('j');
  for (const key of ['r', 'r']) await ana.keyboard.press(key);
  await decided(ana, 'Nothing was changed');
  await ready(ana);
  await ana.goto('/');
  assert.deepEqual([await waiting(ana), await number(ana, 'Decided')], [ALERTS - 1, '1']);
});

test('without JavaScript the buttons do the same', async (t) => {
  const page = await signIn(t, browser, await open(t), 'ana', { javaScriptEnabled: false });
  const texts = await Promise.all([0, 1].map((at) => text(items(page).nth(at))));
  await click(items(page).first().getByRole('button', { name: 'Remove' }));
  await decided(page, 'ana decided to remove it');
  assert.equal(await text(items(page).first()), texts[1]);
  await click(items(page).first().getByRole('button', { name: 'Keep' }));
  await decided(page, 'ana decided to keep it');
  assert.deepEqual([await waiting(page), await number(page, 'Decided')], [ALERTS - 2, '2']);
  await click(page.getByRole('status').getByRole('button', { name: 'Undo' }));
  await decided(page, 'The decision was undone');
  assert.equal(await text(items(page).first()), texts[1]);
  assert.deepEqual([await waiting(page), await number(page, 'Decided')], [ALERTS - 1, '1']);
  await click(page.getByRole('button', { name: 'Sign out' }));
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
});

test('the second moderator sees what the first decided, and can undo it', async (t) => {
  const desk = await open(t);
  const [ana, ben] = [await signIn(t, browser, desk, 'ana'), await signIn(t, browser, desk, 'ben')];
  const first = await text(items(ana).first());
  assert.equal(await text(items(ben).first()), first);
  await click(items(ana).first().getByRole('button', { name: 'Remove' }));
  await decided(ana, 'ana decided to remove it');

  await click(items(ben).first().getByRole('button', { name: 'Keep' }));
  await decided(ben, 'Nothing was changed');
  await ben.getByRole('heading', { name: 'Decided: remove' }).waitFor();
  assert.match(await ben.locator('.standing').innerText(), /^ana decided to remove it, just now/);
  await ben.getByRole('link', { name: 'Back to the desk' }).click();
  assert.deepEqual([await waiting(ben), await number(ben, 'Decided'), await number(ben, 'Precision')], [ALERTS - 1, '1', '100\u00a0%\n21 to 100\u00a0%']);
  assert.match(await ben.locator('.lately li').first().innerText(), /ana decided to remove it/);

  await click(ben.locator('.lately').getByRole('button', { name: 'Undo' }));
  await decided(ben, 'The decision was undone');
  await ana.goto('/');
  assert.deepEqual([await text(items(ana).first()), await waiting(ana), await number(ana, 'Decided')], [first, ALERTS, '0']);
});

test('the numbers are those of the decisions, with intervals', async (t) => {
  const page = await signIn(t, browser, await open(t, { args: BY_REMOVAL.args }), 'ana');
  assert.deepEqual([await number(page, 'Precision'), await number(page, 'Decided')], ['\u2013', '0']);
  const places = [];
  for (const action of ['Remove', 'Keep', 'Remove']) {
    places.push((await items(page).first().locator('.meta span').first().innerText()).replace('r/', ''));
    await click(items(page).first().getByRole('button', { name: action }));
    await decided(page, `ana decided to ${action.toLowerCase()} it`);
  }
  assert.equal(await number(page, 'Precision'), '67\u00a0%\n21 to 94\u00a0%');
  assert.equal(await number(page, 'Decided'), '3');
  assert.equal(await number(page, 'Alert to decision'), 'under 1 minute\nmedian');
  const rows = (title) => page.locator(`h3:text-is("${title}") + table tbody tr`).evaluateAll(
    (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent.trim())),
  );
  assert.deepEqual(await rows('By policy'), [['default, probability>=0.6', '2 of 3', '67\u00a0% 21 to 94\u00a0%']]);
  const bySubreddit = Object.fromEntries((await rows('By subreddit')).map(([name, counts]) => [name, counts]));
  const counted = (place) => {
    const those = places.flatMap((found, at) => (found === place ? [at] : []));
    return `${those.filter((at) => at !== 1).length} of ${those.length}`;
  };
  assert.deepEqual(bySubreddit, Object.fromEntries(places.map((place) => [place, counted(place)])));
});

test('a card says who wrote the comment, and what else there is by them and in the thread', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'modstream-'));
  t.after(() => rm(folder, { recursive: true }));
  const rows = ['a', 'b', 'c'].map((id, at) => ({ id, author: at < 2 ? 'fern_and_moss' : 'x'.repeat(90), link_id: 't3_1', subreddit: 'science', body: `it is not my fault that you can not read ${id}` }));
  await writeFile(join(folder, 'comments.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const desk = await open(t, { args: ['--input', join(folder, 'comments.jsonl'), '--policy', '0.001'] });
  for (const [screen, options] of [['narrow', { viewport: { width: 360, height: 740 } }], ['dark', { colorScheme: 'dark' }]]) {
    if (screen === 'dark') desk.signIn.ana = desk.signIn.ben;
    const page = await signIn(t, browser, desk, 'ana', options);
    const meta = await items(page).filter({ hasText: 'you can not read a' }).locator('.meta').innerText();
    assert.match(meta.replace(/\s+/g, ' '), /by fern_and_moss 1 more by them, 3 in this thread/);
    await picture(page, `cards-${screen}`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, screen);
  }
});

test('a comment is text, whatever it says', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'modstream-'));
  t.after(() => rm(folder, { recursive: true }));
  const hostile = '</div><script>alert(1)</script><img src=x onerror="alert(2)"><style>body{display:none}</style>'
    + '<iframe srcdoc="<script>parent.alert(3)</script>"></iframe>" onmouseover="alert(4)" <b>bold</b> &lt;i&gt;';
  const rows = [
    { id: 'k1', subreddit: '<b>x</b>', body: hostile, permalink: 'javascript:alert(5)' },
    { id: 'k2', subreddit: 'science', body: `not my fault ${hostile}`, permalink: '/r/"><script>alert(6)</script>' },
  ];
  await writeFile(join(folder, 'comments.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const desk = await open(t, { args: ['--input', join(folder, 'comments.jsonl'), '--policy', '0.001'] });
  const page = await signIn(t, browser, desk, 'ana');
  const check = async (place) => {
    assert.equal(await page.locator('main').locator('script, img, style, iframe, .comment b, [onmouseover], [href^="javascript:"]').count(), 0, place);
    assert.ok(await page.locator('main').isVisible());
  };
  assert.deepEqual((await Promise.all([0, 1].map((at) => text(items(page).nth(at))))).sort(), rows.map(({ body }) => body).sort());
  await check('the queue');
  await items(page).filter({ hasText: 'not my fault' }).getByRole('link', { name: 'Why' }).click();
  await page.getByRole('heading', { name: 'Should this comment stay?' }).waitFor();
  assert.equal(await page.locator('.comment > div').textContent(), rows[1].body);
  await check('the alert');
  const stranger = await visit(t, browser, desk);
  await stranger.goto(desk.alert);
  assert.ok(rows.some(({ body }) => body === hostile) && (await stranger.locator('.comment > div').textContent()).includes(hostile));
});
