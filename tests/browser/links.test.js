// Links: to sign in, to one alert, and those that are worth nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ALERTS, click, launch, number, open, signIn, visit, waiting } from './support.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

/** A link whose signature is another. */
// The last letter may be none that a token ends with.
const forged = (link) => link.replace(/.(?=.$)/, (letter) => (letter === 'A' ? 'E' : 'A'));

/** What a page that refuses says; it must show no comment and no button. */
async function refusal(page, link) {
  const response = await page.goto(link);
  assert.equal(await page.locator('.comment, button, .item').count(), 0);
  assert.ok((await page.locator('main p').innerText()).length > 20, 'it says what to do');
  return [response.status(), await page.locator('h1').innerText()];
}

test('a sign-in link signs in one browser, with a click', async (t) => {
  const desk = await open(t);
  const looking = await visit(t, browser, desk);
  await looking.goto(desk.signIn.ana);
  // To look makes no session: the cookie only tells this browser from others.
  assert.deepEqual(await cookieNames(looking), ['sign-in']);
  const ana = await signIn(t, browser, desk, 'ana');
  assert.equal(await ana.locator('.who span').innerText(), 'ana');
  const session = (await ana.context().cookies()).find((cookie) => cookie.name !== 'sign-in');
  assert.deepEqual([session.httpOnly, session.sameSite, await ana.evaluate(() => document.cookie)], [true, 'Strict', '']);

  await click(looking.getByRole('button', { name: 'Sign in' }));
  await looking.getByRole('heading', { name: 'This sign-in link was used before' }).waitFor();
  assert.deepEqual(await cookieNames(looking), ['sign-in']);

  // Whoever got no answer clicks again, in the same browser.
  await ana.goto(desk.signIn.ana);
  await click(ana.getByRole('button', { name: 'Sign in' }));
  await ana.locator('.who span').waitFor();
  assert.equal(await ana.locator('.who span').innerText(), 'ana');
});

async function cookieNames(page) {
  return (await page.context().cookies()).map((cookie) => cookie.name);
}

test('a link that proves nothing shows nothing, and says what to do', async (t) => {
  const desk = await open(t);
  const page = await visit(t, browser, desk);
  for (const [link, status, title] of [
    [forged(desk.alert), 403, 'This link is not valid'],
    [forged(desk.signIn.ana), 403, 'This link is not valid'],
    [`${desk.url}/a/AQHI`, 403, 'This link is not complete'],
    [desk.signIn.ana.replace('/s/', '/a/'), 403, 'This link is for another page'],
    ['/', 401, 'Please sign in'],
    ['/nowhere', 404, 'There is no such page'],
  ]) {
    assert.deepEqual(await refusal(page, link), [status, title]);
    assert.equal(await page.title(), title);
  }
});

test('who signed out is out, also on a page that is still open', async (t) => {
  const desk = await open(t);
  const page = await signIn(t, browser, desk, 'ana');
  const other = await page.context().newPage();
  await other.goto('/');
  await click(page.getByRole('button', { name: 'Sign out' }));
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  // The browser kept no page.
  await page.goBack();
  await page.getByRole('heading', { name: 'Please sign in' }).waitFor();
  await click(other.locator('.item').first().getByRole('button', { name: 'Remove' }));
  await other.getByRole('heading', { name: 'Please sign in' }).waitFor();
  assert.deepEqual(await refusal(page, '/'), [401, 'Please sign in']);
  const ben = await signIn(t, browser, desk, 'ben');
  assert.deepEqual([await waiting(ben), await number(ben, 'Decided')], [ALERTS, '0']);
});

for (const javaScriptEnabled of [true, false]) {
  test(`an alert's link decides with one more click, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async (t) => {
    const desk = await open(t);
    const zoe = await visit(t, browser, desk, { javaScriptEnabled });
    // Whatever opens a link decides nothing.
    for (let times = 0; times < 3; times += 1) await zoe.goto(`${desk.alert}?action=remove&moderator=x&after=0`);
    await zoe.goto(desk.alert);
    await zoe.getByRole('heading', { name: 'Should this comment stay?' }).waitFor();
    const ana = await signIn(t, browser, desk, 'ana');
    assert.deepEqual([await waiting(ana), await number(ana, 'Decided')], [ALERTS, '0']);

    const ben = await visit(t, browser, desk, { javaScriptEnabled });
    await ben.goto(desk.alert);
    // A name is asked for, by its label.
    await click(zoe.getByRole('button', { name: 'Remove' }));
    await zoe.getByRole('heading', { name: 'Should this comment stay?' }).waitFor();
    await zoe.getByLabel('Your name as a moderator').fill('Zoë');
    await click(zoe.getByRole('button', { name: 'Remove' }));
    await zoe.getByRole('heading', { name: 'Decided: remove' }).waitFor();
    assert.match(await zoe.locator('.standing').innerText(), /^Zoë decided to remove it, just now/);
    assert.equal(await zoe.getByLabel('Your name as a moderator').inputValue(), 'Zoë');
    await ana.reload();
    assert.deepEqual([await waiting(ana), await number(ana, 'Decided')], [ALERTS - 1, '1']);

    // Again, and by another: it says how it is, and changes nothing.
    await ben.getByLabel('Your name as a moderator').fill('ben');
    await click(ben.getByRole('button', { name: 'Keep' }));
    await ben.getByRole('status').filter({ hasText: 'Nothing was changed' }).waitFor();
    assert.match(await ben.locator('.standing').innerText(), /^Zoë decided to remove it/);
    await zoe.goto(desk.alert);
    await zoe.getByRole('heading', { name: 'Decided: remove' }).waitFor();
    await ana.reload();
    assert.deepEqual([await waiting(ana), await number(ana, 'Decided'), await number(ana, 'Precision')], [ALERTS - 1, '1', '100\u00a0%\n21 to 100\u00a0%']);
  });
}
