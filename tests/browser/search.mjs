// A reader searches: from the header of any page and from a page that does not exist, by keyboard and by mouse, with script
// and without; filters the results; empty and invalid searches are explained.

import { request, fault, finish, site } from './site.mjs';
import { launch, open, findOverflow, newReaderPage } from './browser.mjs';

let passed = 0;

/** The search box in the page header, or on a page of its own. */
const searchBox = (page) => page.getByRole('search').last().getByRole('searchbox');

/** Searches for words of one review, and must find it. */
async function checkSearch(page, path, status, byKeyboard) {
  await open(page, path, status);
  await searchBox(page).fill('lawn');
  const navigation = page.waitForURL((url) => url.pathname === '/search');
  if (byKeyboard) await searchBox(page).press('Enter');
  else await page.getByRole('search').last().getByRole('button').click();
  await navigation;
  page.expectsErrorStatus = false;
  if ((await page.locator('mark').allTextContents()).every((text) => !/lawn/i.test(text))) {
    fault('the search term is not highlighted', page.url());
  }
  const overflowing = await findOverflow(page);
  if (overflowing) fault(`scrolls horizontally: ${overflowing}`, page.url());
  await page.getByRole('main').getByRole('link', { name: /Stalker/ }).first().click();
  await page.getByRole('heading', { level: 1, name: /Stalker/ }).waitFor();
  passed += 1;
}

/** Opens the filters and limits the search to one year, which stays in the URL and in its field. */
async function checkFilters(page) {
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
  passed += 1;
}

/** Empty results and invalid searches give a helpful page. */
async function checkNoResults(page) {
  for (const [query, status] of [['zzzzzz', 200], ['a'.repeat(10_000), 400], ['%ff%fe', 200]]) {
    await open(page, `/search?q=${query}`, status);
    if ((await page.locator('main').innerText()).trim().length < 20) fault('no message is shown', page.url().slice(0, 60));
    const overflowing = await findOverflow(page);
    if (overflowing) fault(`scrolls horizontally: ${overflowing}`, page.url().slice(0, 60));
  }
  passed += 1;
}

/** The OpenSearch description leads to the search. */
async function checkDescription(page) {
  await open(page, '/');
  const link = page.locator('link[rel=search][type="application/opensearchdescription+xml"]');
  const response = await request(await link.evaluate((element) => element.href), '*/*');
  if (!/^application\/opensearchdescription\+xml/.test(response.headers['content-type'])) fault(response.headers['content-type'], 'OpenSearch');
  // Parses it with Chromium.
  const description = await page.evaluate((xml) => {
    const xmlDocument = new DOMParser().parseFromString(xml, 'application/xml');
    const url = xmlDocument.querySelector('Url[type="text/html"]');
    return { root: xmlDocument.documentElement.localName, name: xmlDocument.querySelector('ShortName')?.textContent, template: url?.getAttribute('template') };
  }, response.body.toString());
  if (description.root !== 'OpenSearchDescription' || !description.name || description.name.length > 16) fault(JSON.stringify(description), 'OpenSearch');
  if (!description.template?.startsWith(`${site.origin}/`)) fault(`the search template is ${description.template}`, 'OpenSearch');
  await open(page, description.template.replace('{searchTerms}', 'lawn'));
  await page.getByRole('main').getByRole('link', { name: /Stalker/ }).first().waitFor();
  passed += 1;
}

const browser = await launch();
for (const javaScriptEnabled of [true, false]) {
  const page = await newReaderPage(browser, { viewport: { width: 360, height: 800 }, javaScriptEnabled });
  await checkSearch(page, '/', 200, true);
  await checkSearch(page, '/no/such/page', 404, false);
  await checkFilters(page);
  await checkNoResults(page);
  if (javaScriptEnabled) await checkDescription(page);
  await page.context().close();
}
await browser.close();
finish({ passed });
