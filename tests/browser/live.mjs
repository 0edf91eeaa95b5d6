// Progressive enhancement: the page is painted before the script runs; new comments appear in an open page without moving
// what is being read; a handle is remembered on the device and forgotten on request; nothing else is stored.

import { request, fault, finish, site } from './site.mjs';
import { launch, open, newReaderPage } from './browser.mjs';

const homeServer = new URL(`https://${site.handle.split('@').at(-1)}`);
const counts = { passed: 0 };

/** How far to advance the page's clock, in milliseconds: longer than the interval between two polls. */
const CLOCK_STEP = 900_000;

/** How long to wait for the comment per attempt, in milliseconds; it does not arrive if the page was not ready to poll. */
const ATTEMPT_TIMEOUT = 1_000;

/** The most attempts to wait for a comment. */
const MAX_ATTEMPTS = 40;

/** The text is painted even if the script is delayed. */
async function checkFirstPaint(browser) {
  const page = await newReaderPage(browser, { viewport: { width: 360, height: 800 } });
  const heldRequests = [];
  await page.route(/\/assets\/.*\.js/, (route) => heldRequests.push(route));
  await page.goto(site.thread, { waitUntil: 'commit' });
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
  await page.getByRole('heading', { level: 1 }).waitFor();
  if (heldRequests.length !== 1) fault(`the page requests ${heldRequests.length} scripts`, site.thread);
  await Promise.all(heldRequests.map((route) => route.continue()));
  await page.waitForLoadState('load');
  await page.context().close();
  counts.passed += 1;
}

/** A comment arrives while the thread is being read. */
async function checkNewComment(browser) {
  const page = await newReaderPage(browser, { viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  await page.clock.install();
  await open(page, site.thread);
  const reading = page.locator('.comment').nth(6);
  await reading.scrollIntoViewIfNeeded();
  await reading.evaluate((element) => element.scrollIntoView());
  const before = (await reading.boundingBox()).y;
  // The test waits for this request, and then lets alice reply.
  await request(`https://${homeServer.host}/reader-is-ready`);
  const newComment = page.locator('.comment', { hasText: site.late });
  for (let attempt = 0; attempt < MAX_ATTEMPTS && (await newComment.count()) === 0; attempt += 1) {
    await page.clock.fastForward(CLOCK_STEP);
    await newComment.waitFor({ timeout: ATTEMPT_TIMEOUT }).catch(() => null);
  }
  await newComment.waitFor();
  const after = (await reading.boundingBox()).y;
  if (Math.abs(after - before) > 1) fault(`the comment being read moves by ${after - before} px`, site.thread);
  const notice = page.getByRole('status').filter({ hasText: /\S/ });
  await notice.getByRole('link').click();
  if (!(await newComment.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < window.innerHeight;
  }))) fault('the notice of a new comment does not lead to the comment', site.thread);
  await checkDeletedComment(page, newComment);
  await page.context().close();
  counts.passed += 1;
}

/** A comment is deleted while the focus is in it: it disappears when the focus leaves. */
async function checkDeletedComment(page, comment) {
  await comment.getByRole('link').first().focus();
  const address = await page.locator('[data-live-href]').getAttribute('data-live-href');
  let hasPolledDeletion = false;
  page.on('response', (response) => {
    hasPolledDeletion ||= response.url().endsWith(address) && response.status() === 200;
  });
  await request(`https://${homeServer.host}/comment-was-read`);
  const advanceClock = async (isDone) => {
    for (let attempt = 0; attempt < MAX_ATTEMPTS && !(await isDone()); attempt += 1) {
      await page.clock.fastForward(CLOCK_STEP);
      await comment.waitFor({ state: 'detached', timeout: ATTEMPT_TIMEOUT }).catch(() => null);
    }
  };
  await advanceClock(() => hasPolledDeletion);
  if (!hasPolledDeletion) fault('an open page does not notice that a comment was deleted', site.thread);
  if ((await comment.count()) !== 1) fault('a comment that has the focus disappears', site.thread);
  await page.evaluate(() => document.activeElement.blur());
  await advanceClock(async () => (await comment.count()) === 0);
  if ((await comment.count()) !== 0) fault('a deleted comment stays in an open page', site.thread);
}

/** The handle is filled in the next time, on any page, until it is forgotten. */
async function checkHandleStorage(browser) {
  const page = await newReaderPage(browser, { viewport: { width: 360, height: 800 } }, [homeServer.host]);
  const field = () => page.locator('form.from-home .handle').first();
  await open(page, site.thread);
  await field().fill(site.handle);
  const navigation = page.waitForURL((url) => url.host === homeServer.host);
  await field().press('Enter');
  await navigation;
  for (const path of ['/', site.thread]) {
    await open(page, path);
    if ((await field().inputValue()) !== site.handle) fault('the handle is not remembered', path);
  }
  await page.locator('form.from-home .forget').first().click();
  if ((await field().inputValue()) !== '') fault('the field is not cleared', site.thread);
  await open(page, '/');
  if ((await field().inputValue()) !== '') fault('the handle is not forgotten', '/');
  const storage = await page.context().storageState();
  if (JSON.stringify(storage.cookies) !== '[]') fault(`stores cookies: ${JSON.stringify(storage.cookies)}`, '/');
  if (storage.origins.some(({ localStorage }) => localStorage.length)) fault(`stores data: ${JSON.stringify(storage.origins)}`, '/');
  await page.context().close();
  counts.passed += 1;
}

/** The other sort orders are links, and the current one is marked. */
async function checkSortOrders(browser) {
  for (const javaScriptEnabled of [true, false]) {
    const page = await newReaderPage(browser, { viewport: { width: 360, height: 800 }, javaScriptEnabled });
    await open(page, site.thread);
    const firstId = () => page.locator('.comment').first().getAttribute('id');
    const links = page.locator('.orders a');
    const firstIds = new Set([await firstId()]);
    const count = await links.count();
    if (count < 2) fault(`only ${count} sort orders of comments`, site.thread);
    for (let number = 0; number < count; number += 1) {
      const href = await links.nth(number).evaluate((link) => link.href);
      await links.nth(number).click();
      await page.waitForURL(href);
      if ((await links.nth(number).getAttribute('aria-current')) !== 'true') fault('the current sort order is not marked', page.url());
      firstIds.add(await firstId());
    }
    if (firstIds.size < 2) fault('all sort orders begin with the same comment', site.thread);
    await page.context().close();
    counts.passed += 1;
  }
}

const browser = await launch();
await checkNewComment(browser);
await checkFirstPaint(browser);
await checkHandleStorage(browser);
await checkSortOrders(browser);
await browser.close();
finish(counts);
