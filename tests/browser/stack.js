// The desk of a system on the local stack: what a function's URL and LocalStack make of a browser's requests. Run by
// `cargo xtask test local-stack`, which has the stack; the desk itself is tested in the other files.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { click, given, launch, number, picture, signIn, text, visit, waiting } from './support.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

test('who signs in on the stack decides by click and by key, and undoes it', async (t) => {
  const link = given('MODSTREAM_TEST_SIGN_IN');
  const desk = { url: new URL(link).origin, signIn: { maja: link } };
  const page = await signIn(t, browser, desk, 'maja');
  const items = page.locator('li.item');
  const decided = (words) => page.getByRole('status').filter({ hasText: words }).waitFor();
  const before = await waiting(page);
  const counted = Number(await number(page, 'Decided'));
  assert.ok(before > 1, `${before} alerts wait`);
  const first = await text(items.first());

  await click(items.first().getByRole('button', { name: 'Remove' }));
  await decided('maja decided to remove it');
  await decided('The decision is recorded; the forum is not told.');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await decided('maja decided to keep it');
  await page.keyboard.press('u');
  await decided('The decision was undone');
  await picture(page, 'desk-on-the-stack');
  assert.deepEqual([await waiting(page), await number(page, 'Decided')], [before - 1, String(counted + 1)]);

  await page.goto('/');
  await click(page.locator('.lately li').filter({ hasText: 'maja decided to remove it' }).first().getByRole('button', { name: 'Undo' }));
  await decided('The decision was undone');
  assert.deepEqual([await waiting(page), await text(page.locator('[data-last]'))], [before, first]);

  // The link was used, and another browser has no session.
  const other = await visit(t, browser, desk);
  await other.goto('/');
  await other.getByRole('heading', { name: 'Please sign in' }).waitFor();
});
