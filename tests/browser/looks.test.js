// How it looks: to everybody, on any screen, in light and in the dark. Pictures are kept to look at.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { axe, click, launch, open, picture, signIn, visit } from './support.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const SCREENS = {
  wide: { viewport: { width: 1200, height: 760 } },
  narrow: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
  dark: { viewport: { width: 1200, height: 760 }, colorScheme: 'dark' },
  'narrow-dark': { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, colorScheme: 'dark' },
};

/** Every kind of page, each with a name. */
async function* pages(t, desk, options) {
  const page = await visit(t, browser, desk, options);
  await page.goto(desk.alert);
  yield ['alert-by-link', page];
  await page.getByLabel('Your name as a moderator').fill('Zoë');
  await click(page.getByRole('button', { name: 'Remove' }));
  await page.getByRole('heading', { name: 'Decided: remove' }).waitFor();
  yield ['alert-decided', page];
  await page.goto(desk.signIn.ana);
  yield ['sign-in', page];
  await click(page.getByRole('button', { name: 'Sign in' }));
  await page.waitForURL(`${desk.url}/`);
  yield ['desk', page];
  const item = page.locator('.item');
  await item.first().getByRole('link', { name: 'Why' }).click();
  await page.getByRole('heading', { name: 'Should this comment stay?' }).waitFor();
  yield ['alert-at-desk', page];
  await page.goto('/');
  for (const [at, action] of [[0, 'Remove'], [3, 'Keep'], [2, 'Remove']]) {
    await click(item.nth(at).getByRole('button', { name: action }));
    await page.getByRole('status').filter({ hasText: `ana decided to ${action.toLowerCase()} it` }).waitFor();
  }
  yield ['desk-decided', page];
  await page.goto('/nowhere');
  yield ['note', page];
}

/** What keeps people out of a page, and how many texts were measured to have a contrast of 4.5 or more (large ones of 3). */
async function barriers(page) {
  // Of what stands behind something else it knows no contrast.
  await page.evaluate(() => scrollTo(0, 0));
  await page.evaluate(axe);
  const { violations, incomplete, passes } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  const named = ({ id, impact, nodes }) => nodes.map(({ html }) => `${id} (${impact}): ${html}`);
  // It does not know of some comments: blurred ones, and ones of several lines. The others are as these. Of a long one it names
  // the beginning.
  const comments = await page.locator('.comment bdi').evaluateAll((all) => all.map((one) => `color-contrast (serious): ${one.outerHTML}`));
  const unsure = incomplete.flatMap(named).filter((one) => !comments.some((comment) => comment.startsWith(one)));
  const measured = passes.find(({ id }) => id === 'color-contrast')?.nodes ?? [];
  return { found: [...violations.flatMap(named), ...unsure], measured: measured.length };
}

for (const [screen, options] of Object.entries(SCREENS)) {
  test(`every page can be read and used by everybody: ${screen}`, async (t) => {
    const desk = await open(t);
    for await (const [name, page] of pages(t, desk, options)) {
      const place = `${name}, ${screen}`;
      await picture(page, `${name}-${screen}`);
      const outline = await page.evaluate(() => ({
        language: document.documentElement.lang,
        title: document.title,
        headings: [...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1])),
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      }));
      assert.equal(outline.language, 'en');
      assert.ok(outline.title.length > 3, place);
      assert.equal(outline.headings.filter((level) => level === 1).length, 1, place);
      outline.headings.forEach((level, at) => assert.ok(level <= (outline.headings[at - 1] ?? 0) + 1, `${place}: h${level}`));
      assert.ok(outline.overflow <= 0, `${place} scrolls sideways by ${outline.overflow} px`);
      const { found, measured } = await barriers(page);
      assert.deepEqual(found, [], place);
      assert.ok(measured > 1, `${place}: contrast of ${measured} texts`);
    }
  });
}

test('a strong comment is blurred until somebody wants to read it', async (t) => {
  // Where most comments are removed, many are likely to be.
  const page = await signIn(t, browser, await open(t, { args: ['--policy', '0.8', '--base-rate', '0.7', '--harm-model', 'none'] }), 'ana');
  const veils = page.locator('.item .veil');
  assert.ok(await veils.count() > 2);
  assert.equal(await page.locator('.item:has(.severity.high)').count(), await veils.count());
  const isBlurred = (at) => veils.nth(at).locator('> div').evaluate(
    (comment) => Promise.all(comment.getAnimations().map((one) => one.finished)).then(() => getComputedStyle(comment).filter !== 'none'),
  );
  const all = async () => Promise.all([0, 1, 2].map(isBlurred));
  assert.deepEqual(await all(), [true, true, true]);
  await veils.nth(1).hover();
  assert.deepEqual(await all(), [true, false, true]);
  await page.mouse.move(0, 0);
  await veils.nth(2).focus();
  assert.deepEqual(await all(), [true, true, false]);
  await page.keyboard.press('Shift+Tab');
  assert.deepEqual(await all(), [true, true, true]);
  await page.keyboard.press('j');
  // A decision by pointer does not show the next one.
  await page.goto('/');
  await click(page.locator('.item').first().getByRole('button', { name: 'Remove' }));
  await page.getByRole('status').filter({ hasText: 'ana decided to remove it' }).waitFor();
  await page.mouse.move(0, 0);
  assert.deepEqual(await all(), [true, true, true]);
});
