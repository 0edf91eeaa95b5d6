// Progressive enhancement: the page is painted before the script runs; new comments appear in an open page without moving
// what is being read; a handle is remembered on the device and forgotten on request; nothing else is stored.

import { ask, fault, finish, site } from './site.mjs';
import { launch, open, reader } from './browser.mjs';

const home = new URL(`https://${site.handle.split('@').at(-1)}`);
const counted = { walked: 0 };

/** Longer than an open page waits between two polls, in milliseconds of its own clock. */
const TURN = 900_000;

/** How long to wait for the comment per attempt, in milliseconds; it does not arrive if the page was not ready to poll. */
const GLANCE = 1_000;

/** More attempts than a comment needs to arrive. */
const TURNS = 40;

/** The text is painted even if the script is delayed. */
async function paint(browser) {
  const page = await reader(browser, { viewport: { width: 360, height: 800 } });
  const held = [];
  await page.route(/\/assets\/.*\.js/, (route) => held.push(route));
  await page.goto(site.thread, { waitUntil: 'commit' });
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
  await page.getByRole('heading', { level: 1 }).waitFor();
  if (held.length !== 1) fault(`the page requests ${held.length} scripts`, site.thread);
  await Promise.all(held.map((route) => route.continue()));
  await page.waitForLoadState('load');
  await page.context().close();
  counted.walked += 1;
}

/** A comment arrives while the thread is being read. */
async function arrive(browser) {
  const page = await reader(browser, { viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  await page.clock.install();
  await open(page, site.thread);
  const reading = page.locator('.comment').nth(6);
  await reading.scrollIntoViewIfNeeded();
  await reading.evaluate((element) => element.scrollIntoView());
  const before = (await reading.boundingBox()).y;
  // The test waits for this request, and then lets alice reply.
  await ask(`https://${home.host}/somebody-reads`);
  const fresh = page.locator('.comment', { hasText: site.late });
  for (let turn = 0; turn < TURNS && (await fresh.count()) === 0; turn += 1) {
    await page.clock.fastForward(TURN);
    await fresh.waitFor({ timeout: GLANCE }).catch(() => null);
  }
  await fresh.waitFor();
  const after = (await reading.boundingBox()).y;
  if (Math.abs(after - before) > 1) fault(`the comment being read moves by ${after - before} px`, site.thread);
  const news = page.getByRole('status').filter({ hasText: /\S/ });
  await news.getByRole('link').click();
  if (!(await fresh.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < window.innerHeight;
  }))) fault('the notice of a new comment does not lead to the comment', site.thread);
  await leave(page, fresh);
  await page.context().close();
  counted.walked += 1;
}

/** A comment is deleted while the focus is in it: it disappears when the focus leaves. */
async function leave(page, comment) {
  await comment.getByRole('link').first().focus();
  const address = await page.locator('[data-live-href]').getAttribute('data-live-href');
  let isTold = false;
  page.on('response', (answer) => {
    isTold ||= answer.url().endsWith(address) && answer.status() === 200;
  });
  await ask(`https://${home.host}/somebody-read-it`);
  const pass = async (isOver) => {
    for (let turn = 0; turn < TURNS && !(await isOver()); turn += 1) {
      await page.clock.fastForward(TURN);
      await comment.waitFor({ state: 'detached', timeout: GLANCE }).catch(() => null);
    }
  };
  await pass(() => isTold);
  if (!isTold) fault('an open page does not notice that a comment was deleted', site.thread);
  if ((await comment.count()) !== 1) fault('a comment that has the focus disappears', site.thread);
  await page.evaluate(() => document.activeElement.blur());
  await pass(async () => (await comment.count()) === 0);
  if ((await comment.count()) !== 0) fault('a deleted comment stays in an open page', site.thread);
}

/** The handle is filled in the next time, on any page, until it is forgotten. */
async function remember(browser) {
  const page = await reader(browser, { viewport: { width: 360, height: 800 } }, [home.host]);
  const field = () => page.locator('form.from-home .handle').first();
  await open(page, site.thread);
  await field().fill(site.handle);
  const led = page.waitForURL((url) => url.host === home.host);
  await field().press('Enter');
  await led;
  for (const path of ['/', site.thread]) {
    await open(page, path);
    if ((await field().inputValue()) !== site.handle) fault('the handle is not remembered', path);
  }
  await page.locator('form.from-home .forget').first().click();
  if ((await field().inputValue()) !== '') fault('the field is not cleared', site.thread);
  await open(page, '/');
  if ((await field().inputValue()) !== '') fault('the handle is not forgotten', '/');
  const kept = await page.context().storageState();
  if (JSON.stringify(kept.cookies) !== '[]') fault(`stores cookies: ${JSON.stringify(kept.cookies)}`, '/');
  if (kept.origins.some(({ localStorage }) => localStorage.length)) fault(`stores data: ${JSON.stringify(kept.origins)}`, '/');
  await page.context().close();
  counted.walked += 1;
}

/** The other sort orders are links, and the current one is marked. */
async function order(browser) {
  for (const javaScriptEnabled of [true, false]) {
    const page = await reader(browser, { viewport: { width: 360, height: 800 }, javaScriptEnabled });
    await open(page, site.thread);
    const first = () => page.locator('.comment').first().getAttribute('id');
    const orders = page.locator('.orders a');
    const seen = new Set([await first()]);
    const count = await orders.count();
    if (count < 2) fault(`only ${count} sort orders of comments`, site.thread);
    for (let number = 0; number < count; number += 1) {
      const href = await orders.nth(number).evaluate((link) => link.href);
      await orders.nth(number).click();
      await page.waitForURL(href);
      if ((await orders.nth(number).getAttribute('aria-current')) !== 'true') fault('the current sort order is not marked', page.url());
      seen.add(await first());
    }
    if (seen.size < 2) fault('all sort orders begin with the same comment', site.thread);
    await page.context().close();
    counted.walked += 1;
  }
}

const browser = await launch();
await arrive(browser);
await paint(browser);
await remember(browser);
await order(browser);
await browser.close();
finish(counted);
