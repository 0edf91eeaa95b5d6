// Takes the screenshots of the README and the docs, in the folder that PICTURES names.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { finish, site } from './site.mjs';
import { crawl } from './crawl.mjs';
import { launch, open, pictures, reader } from './browser.mjs';

const folder = process.env.PICTURES || join(site.folder, 'pictures');
mkdirSync(folder, { recursive: true });
const found = [...(await crawl()).keys()];
const film = found.find((path) => /^\/reviews\/.*stalker/.test(path));
const person = found.find((path) => /^\/people\/.*lindqvist$/.test(path));

const DESK = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

/** Name, URL, window size, and the element that must be at the top. */
const list = [
  ['home', '/', DESK, 'light', null],
  ['review', film, DESK, 'light', null],
  ['comments', site.thread, PHONE, 'dark', '#comments'],
  ['archive', '/reviews', DESK, 'dark', null],
  ['person', person, DESK, 'light', null],
  ['search', '/search?q=night', PHONE, 'light', null],
];

const browser = await launch();
let taken = 0;
for (const [name, path, viewport, colorScheme, top] of list) {
  const page = await reader(browser, { viewport, colorScheme, reducedMotion: 'reduce' });
  await open(page, path);
  await pictures(page);
  if (top) await page.locator(top).evaluate((element) => element.scrollIntoView());
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  await page.context().close();
  taken += 1;
}
await browser.close();
finish({ pictures: taken });
