// The whole site without JavaScript: each page has a heading and text, and folded parts can be unfolded.

import { fault, finish } from './site.mjs';
import { crawl, pages } from './crawl.mjs';
import { launch, open, findOverflow, newReaderPage } from './browser.mjs';

const counts = { pages: 0, unfolded: 0 };
const browser = await launch();
const page = await newReaderPage(browser, { viewport: { width: 360, height: 800 }, javaScriptEnabled: false });
for (const { path } of pages(await crawl())) {
  await open(page, path);
  if (!(await page.locator('h1').first().textContent()).trim()) fault('no heading', path);
  if ((await page.locator('main').innerText()).trim().length < 40) fault('hardly any text', path);
  const overflowing = await findOverflow(page);
  if (overflowing) fault(`scrolls horizontally: ${overflowing}`, path);
  for (const folded of await page.locator('main details').all()) {
    if (await folded.evaluate((details) => details.open)) continue;
    await folded.locator('summary').first().click();
    if (!(await folded.evaluate((details) => details.open))) fault('does not unfold', path);
    counts.unfolded += 1;
  }
  counts.pages += 1;
}
await browser.close();
finish(counts);
