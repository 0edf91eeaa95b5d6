// Keyboard navigation: every link, field and button of each type of page is reached in page order, with visible focus.

import { fault, finish } from './site.mjs';
import { selectPages, crawl } from './crawl.mjs';
import { launch, open, newReaderPage } from './browser.mjs';

/** The most focus stops on a page; no page of the test has as many. */
const MAX_STOPS = 2_000;

const counts = { pages: 0, stops: 0 };

/** Numbers the elements that must be reachable, and returns their count. */
function numberElements() {
  const selector = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const all = [...document.querySelectorAll(selector)].filter(
    (e) => e.type !== 'hidden' && e.tabIndex >= 0 && !e.disabled && e.checkVisibility({ visibilityProperty: true }),
  );
  window.unfocusedStyles = all.map((element) => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor } = getComputedStyle(element);
    return { outline: outlineStyle === 'none' ? '0px' : outlineWidth, boxShadow, borderColor, backgroundColor };
  });
  window.stops = all;
  return all.length;
}

/** Returns the number of the focused element, and the problems of its focus style. */
function inspectFocus() {
  const element = document.activeElement;
  const index = window.stops.indexOf(element);
  if (element === document.body) return { index: null };
  const style = getComputedStyle(element);
  const before = window.unfocusedStyles[index];
  const box = element.getBoundingClientRect();
  const hasOutline = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 1;
  const restyled = before && (style.boxShadow !== before.boxShadow || style.borderColor !== before.borderColor);
  const isVisible = box.bottom > 0 && box.top < window.innerHeight && box.right > 0 && box.left < window.innerWidth;
  const problems = [];
  if (!hasOutline && !restyled) problems.push('the focus is not visible');
  if (!isVisible || box.width === 0 || box.height === 0) problems.push('the focused element is outside the viewport');
  return { index, problems, name: `${element.localName}.${element.className} “${element.textContent.trim().slice(0, 30)}”` };
}

async function checkOrder(page, path) {
  const expected = await page.evaluate(numberElements);
  const reached = new Set();
  for (let step = 0; step < MAX_STOPS; step += 1) {
    await page.keyboard.press('Tab');
    const { index, problems, name } = await page.evaluate(inspectFocus);
    if (index === null || reached.has(index)) break;
    if (reached.size && index < Math.max(...reached) && index >= 0) fault(`out of order: ${name}`, path);
    reached.add(index);
    for (const problem of problems) fault(`${problem}: ${name}`, path);
  }
  reached.delete(-1);
  counts.stops += reached.size;
  if (reached.size !== expected) {
    const missed = await page.evaluate(
      (reached) => window.stops.filter((_, index) => !reached.includes(index)).map((e) => e.outerHTML.slice(0, 120)),
      [...reached],
    );
    fault(`${expected - reached.size} of ${expected} cannot be reached: ${missed[0]}`, path);
  }
}

/** The first stop skips to the main content. */
async function checkSkipLink(page, path) {
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const id = await page.evaluate(() => document.activeElement.id);
  if (id !== 'main') fault(`the skip link leads to #${id}`, path);
}

const targets = [...selectPages(await crawl(), 1), { path: '/search?q=film&year=2026' }];
const browser = await launch();
const page = await newReaderPage(browser, { viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
for (const { path } of targets) {
  await open(page, path);
  await checkOrder(page, path);
  await open(page, path);
  await checkSkipLink(page, path);
  counts.pages += 1;
}
await browser.close();
finish(counts);
