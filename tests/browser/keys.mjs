// Keyboard navigation: every link, field and button of each type of page is reached in page order, with visible focus.

import { fault, finish } from './site.mjs';
import { chosen, crawl } from './crawl.mjs';
import { launch, open, reader } from './browser.mjs';

/** More focus stops than any page of the test has. */
const MOST = 2_000;

const counted = { pages: 0, stops: 0 };

/** Numbers the elements that must be reachable, and returns their count. */
function number() {
  const wanted = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const all = [...document.querySelectorAll(wanted)].filter(
    (e) => e.type !== 'hidden' && e.tabIndex >= 0 && !e.disabled && e.checkVisibility({ visibilityProperty: true }),
  );
  window.looks = all.map((element) => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor } = getComputedStyle(element);
    return { outline: outlineStyle === 'none' ? '0px' : outlineWidth, boxShadow, borderColor, backgroundColor };
  });
  window.stops = all;
  return all.length;
}

/** The number of the focused element, and what is wrong with its focus style. */
function here() {
  const element = document.activeElement;
  const at = window.stops.indexOf(element);
  if (element === document.body) return { at: null };
  const style = getComputedStyle(element);
  const before = window.looks[at];
  const box = element.getBoundingClientRect();
  const outlined = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 1;
  const other = before && (style.boxShadow !== before.boxShadow || style.borderColor !== before.borderColor);
  const inside = box.bottom > 0 && box.top < window.innerHeight && box.right > 0 && box.left < window.innerWidth;
  const wrong = [];
  if (!outlined && !other) wrong.push('the focus is not visible');
  if (!inside || box.width === 0 || box.height === 0) wrong.push('the focused element is outside the viewport');
  return { at, wrong, name: `${element.localName}.${element.className} “${element.textContent.trim().slice(0, 30)}”` };
}

async function walk(page, path) {
  const expected = await page.evaluate(number);
  const reached = new Set();
  for (let step = 0; step < MOST; step += 1) {
    await page.keyboard.press('Tab');
    const { at, wrong, name } = await page.evaluate(here);
    if (at === null || reached.has(at)) break;
    if (reached.size && at < Math.max(...reached) && at >= 0) fault(`out of order: ${name}`, path);
    reached.add(at);
    for (const what of wrong) fault(`${what}: ${name}`, path);
  }
  reached.delete(-1);
  counted.stops += reached.size;
  if (reached.size !== expected) {
    const missed = await page.evaluate(
      (reached) => window.stops.filter((_, at) => !reached.includes(at)).map((e) => e.outerHTML.slice(0, 120)),
      [...reached],
    );
    fault(`${expected - reached.size} of ${expected} cannot be reached: ${missed[0]}`, path);
  }
}

/** The first stop skips to the main content. */
async function skip(page, path) {
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const at = await page.evaluate(() => document.activeElement.id);
  if (at !== 'main') fault(`the skip link leads to #${at}`, path);
}

const list = [...chosen(await crawl(), 1), { path: '/search?q=film&year=2026' }];
const browser = await launch();
const page = await reader(browser, { viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
for (const { path } of list) {
  await open(page, path);
  await walk(page, path);
  await open(page, path);
  await skip(page, path);
  counted.pages += 1;
}
await browser.close();
finish(counted);
