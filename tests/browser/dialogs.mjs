// Readers go from a review and from the critic's pages to their own servers, by mouse and by keyboard, with and without
// JavaScript; an error message is shown for an invalid handle.

import { fault, finish, site } from './site.mjs';
import { launch, open, overflow, reader } from './browser.mjs';

const home = new URL(`https://${site.handle.split('@').at(-1)}`);
let walked = 0;

/** The form with the button for this intent. */
const form = (page, wish) => page.locator('form.from-home', { has: page.locator(`button[value=${wish}]`) }).first();

/** Submits the form, which must lead to the reader's own server with the right object. */
async function walk(page, path, wish, about, byKeyboard) {
  await open(page, path);
  const field = form(page, wish).getByRole('textbox').first();
  await field.fill(site.handle);
  const led = page.waitForURL((url) => url.host === home.host);
  if (byKeyboard) await field.press('Enter');
  else await form(page, wish).locator(`button[value=${wish}]`).click();
  await led;
  const url = new URL(page.url());
  if (url.searchParams.get('uri') !== about) fault(`${wish} leads to ${url}`, path);
  await page.getByRole('heading', { name: 'Continue on your own server' }).waitFor();
  await page.goBack();
  walked += 1;
}

/** For an invalid handle, an error message is shown. The handle is kept and can be corrected in place. */
async function mend(page, path, wish) {
  await open(page, path);
  await form(page, wish).getByRole('textbox').first().fill('nobody@nowhere.test');
  page.mayFail = true;
  await form(page, wish).locator(`button[value=${wish}]`).click();
  await page.getByRole('alert').waitFor();
  const kept = await form(page, wish).getByRole('textbox').first().inputValue();
  if (kept !== 'nobody@nowhere.test') fault(`the handle is not kept: ${kept}`, `${path}, ${wish}`);
  const sideways = await overflow(page);
  if (sideways) fault(`scrolls horizontally: ${sideways}`, page.url());
  page.mayFail = false;
  await form(page, wish).getByRole('textbox').first().fill(site.handle);
  const led = page.waitForURL((url) => url.host === home.host);
  await form(page, wish).locator(`button[value=${wish}]`).click();
  await led;
  walked += 1;
}

const browser = await launch();
for (const javaScriptEnabled of [true, false]) {
  const page = await reader(browser, { viewport: { width: 360, height: 800 }, javaScriptEnabled }, [home.host]);
  await walk(page, site.thread, 'reply', site.article, true);
  await walk(page, site.thread, 'boost', site.article, false);
  await walk(page, '/', 'follow', site.critic, true);
  await walk(page, `/@${site.critic.split('@')[0]}`, 'follow', site.critic, false);
  // Each on only one of the two pages: lookups per client are limited.
  if (javaScriptEnabled) await mend(page, site.thread, 'like');
  else await mend(page, '/', 'follow');
  await page.context().close();
}
await browser.close();
finish({ walked });
