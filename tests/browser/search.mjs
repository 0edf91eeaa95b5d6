// A reader searches: from the header of any page and from a page that does not exist, by keyboard and by mouse, with script
// and without; filters the results; empty and invalid searches are explained.

import { ask, fault, finish, site } from './site.mjs';
import { launch, open, overflow, reader } from './browser.mjs';

let walked = 0;

/** The search box in the page header, or on a page of its own. */
const box = (page) => page.getByRole('search').last().getByRole('searchbox');

/** Searches for words of one review, and must find it. */
async function find(page, path, status, byKeyboard) {
  await open(page, path, status);
  await box(page).fill('lawn');
  const led = page.waitForURL((url) => url.pathname === '/search');
  if (byKeyboard) await box(page).press('Enter');
  else await page.getByRole('search').last().getByRole('button').click();
  await led;
  page.mayFail = false;
  if ((await page.locator('mark').allTextContents()).every((text) => !/lawn/i.test(text))) {
    fault('the search term is not highlighted', page.url());
  }
  const sideways = await overflow(page);
  if (sideways) fault(`scrolls horizontally: ${sideways}`, page.url());
  await page.getByRole('main').getByRole('link', { name: /Stalker/ }).first().click();
  await page.getByRole('heading', { level: 1, name: /Stalker/ }).waitFor();
  walked += 1;
}

/** Opens the filters and limits the search to one year, which stays in the URL and in its field. */
async function narrow(page) {
  await open(page, '/search?q=film');
  const before = await page.locator('.hit').count();
  await page.locator('main details summary').click();
  await page.locator('#year').fill('2026');
  await page.locator('#year').press('Enter');
  await page.waitForURL((url) => url.searchParams.get('year') === '2026');
  const after = await page.locator('.hit').count();
  if (!(after < before)) fault(`filtering by year leaves ${after} of ${before} results`, page.url());
  if ((await page.locator('#q').inputValue()) !== 'film') fault('the search term is not kept', page.url());
  if (!(await page.locator('#year').isVisible())) fault('the active filter is folded', page.url());
  walked += 1;
}

/** Empty results and invalid searches give a helpful page. */
async function fail(page) {
  for (const [query, status] of [['zzzzzz', 200], ['a'.repeat(10_000), 400], ['%ff%fe', 200]]) {
    await open(page, `/search?q=${query}`, status);
    if ((await page.locator('main').innerText()).trim().length < 20) fault('no message is shown', page.url().slice(0, 60));
    const sideways = await overflow(page);
    if (sideways) fault(`scrolls horizontally: ${sideways}`, page.url().slice(0, 60));
  }
  walked += 1;
}

/** The OpenSearch description leads to the search. */
async function describe(page) {
  await open(page, '/');
  const link = page.locator('link[rel=search][type="application/opensearchdescription+xml"]');
  const answer = await ask(await link.evaluate((element) => element.href), '*/*');
  if (!/^application\/opensearchdescription\+xml/.test(answer.head['content-type'])) fault(answer.head['content-type'], 'OpenSearch');
  // Parses it with Chromium.
  const told = await page.evaluate((xml) => {
    const read = new DOMParser().parseFromString(xml, 'application/xml');
    const url = read.querySelector('Url[type="text/html"]');
    return { root: read.documentElement.localName, name: read.querySelector('ShortName')?.textContent, to: url?.getAttribute('template') };
  }, answer.body.toString());
  if (told.root !== 'OpenSearchDescription' || !told.name || told.name.length > 16) fault(JSON.stringify(told), 'OpenSearch');
  if (!told.to?.startsWith(`${site.origin}/`)) fault(`the search template is ${told.to}`, 'OpenSearch');
  await open(page, told.to.replace('{searchTerms}', 'lawn'));
  await page.getByRole('main').getByRole('link', { name: /Stalker/ }).first().waitFor();
  walked += 1;
}

const browser = await launch();
for (const javaScriptEnabled of [true, false]) {
  const page = await reader(browser, { viewport: { width: 360, height: 800 }, javaScriptEnabled });
  await find(page, '/', 200, true);
  await find(page, '/no/such/page', 404, false);
  await narrow(page);
  await fail(page);
  if (javaScriptEnabled) await describe(page);
  await page.context().close();
}
await browser.close();
finish({ walked });
