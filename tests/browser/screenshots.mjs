// Takes the screenshots of the README and the docs, in the folder that SCREENSHOTS names.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { finish, site } from './site.mjs';
import { crawl } from './crawl.mjs';
import { launch, loadImages, open, newReaderPage } from './browser.mjs';

const folder = process.env.SCREENSHOTS || join(site.folder, 'screenshots');
mkdirSync(folder, { recursive: true });
const paths = [...(await crawl()).keys()];
const film = paths.find((path) => /^\/reviews\/.*stalker/.test(path));
const person = paths.find((path) => /^\/people\/.*lindqvist$/.test(path));

const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

/** Name, URL, window size, and the element that must be at the top. */
const screenshotPlan = [
  ['home', '/', DESKTOP, 'light', null],
  ['review', film, DESKTOP, 'light', null],
  ['comments', site.thread, PHONE, 'dark', '#comments'],
  ['archive', '/reviews', DESKTOP, 'dark', null],
  ['person', person, DESKTOP, 'light', null],
  ['search', '/search?q=night', PHONE, 'light', null],
];

const browser = await launch();
let screenshots = 0;
for (const [name, path, viewport, colorScheme, top] of screenshotPlan) {
  const page = await newReaderPage(browser, { viewport, colorScheme, reducedMotion: 'reduce' });
  await open(page, path);
  await loadImages(page);
  if (top) await page.locator(top).evaluate((element) => element.scrollIntoView());
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  await page.context().close();
  screenshots += 1;
}
await browser.close();
finish({ screenshots });
