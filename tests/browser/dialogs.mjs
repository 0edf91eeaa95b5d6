// Readers go from a review and from the critic's pages to their own servers, by mouse and by keyboard, with and without
// JavaScript; an error message is shown for an invalid handle.

import { fault, finish, site } from './site.mjs';
import { launch, open, findOverflow, newReaderPage } from './browser.mjs';

const homeServer = new URL(`https://${site.handle.split('@').at(-1)}`);
let passed = 0;

/** The form with the button for this intent. */
const form = (page, intent) => page.locator('form.from-home', { has: page.locator(`button[value=${intent}]`) }).first();

/** Submits the form, which must lead to the reader's own server with the right object. */
async function checkIntent(page, path, intent, objectUri, byKeyboard) {
  await open(page, path);
  const field = form(page, intent).getByRole('textbox').first();
  await field.fill(site.handle);
  const navigation = page.waitForURL((url) => url.host === homeServer.host);
  if (byKeyboard) await field.press('Enter');
  else await form(page, intent).locator(`button[value=${intent}]`).click();
  await navigation;
  const url = new URL(page.url());
  if (url.searchParams.get('uri') !== objectUri) fault(`${intent} leads to ${url}`, path);
  await page.getByRole('heading', { name: 'Continue on your own server' }).waitFor();
  await page.goBack();
  passed += 1;
}

/** For an invalid handle, an error message is shown. The handle is kept and can be corrected in place. */
async function checkInvalidHandle(page, path, intent) {
  await open(page, path);
  await form(page, intent).getByRole('textbox').first().fill('nobody@nowhere.test');
  page.expectsErrorStatus = true;
  await form(page, intent).locator(`button[value=${intent}]`).click();
  await page.getByRole('alert').waitFor();
  const value = await form(page, intent).getByRole('textbox').first().inputValue();
  if (value !== 'nobody@nowhere.test') fault(`the handle is not kept: ${value}`, `${path}, ${intent}`);
  const overflowing = await findOverflow(page);
  if (overflowing) fault(`scrolls horizontally: ${overflowing}`, page.url());
  page.expectsErrorStatus = false;
  await form(page, intent).getByRole('textbox').first().fill(site.handle);
  const navigation = page.waitForURL((url) => url.host === homeServer.host);
  await form(page, intent).locator(`button[value=${intent}]`).click();
  await navigation;
  passed += 1;
}

const browser = await launch();
for (const javaScriptEnabled of [true, false]) {
  const page = await newReaderPage(browser, { viewport: { width: 360, height: 800 }, javaScriptEnabled }, [homeServer.host]);
  await checkIntent(page, site.thread, 'reply', site.article, true);
  await checkIntent(page, site.thread, 'boost', site.article, false);
  await checkIntent(page, '/', 'follow', site.critic, true);
  await checkIntent(page, `/@${site.critic.split('@')[0]}`, 'follow', site.critic, false);
  // Each on only one of the two pages: lookups per client are limited.
  if (javaScriptEnabled) await checkInvalidHandle(page, site.thread, 'like');
  else await checkInvalidHandle(page, '/', 'follow');
  await page.context().close();
}
await browser.close();
finish({ passed });
