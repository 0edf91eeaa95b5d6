// Layout: pages at 360 and 1,280 px, in light and dark, without axe violations; at any width from 320 to 1,600 px, in both
// writing directions, without horizontal scrolling; nothing moves, and nothing is requested from another host.

import { readFileSync } from 'node:fs';

import { fault, finish, packages, site } from './site.mjs';
import { chosen, crawl } from './crawl.mjs';
import { launch, open, overflow, pictures, reader } from './browser.mjs';

const AXE = readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8');

/** Window widths in px, in addition to the two at which everything is checked. */
const WIDTHS = [320, 412, 540, 700, 768, 900, 1024, 1440, 1600];

/** A larger sum of layout shifts means that something moved. */
const STILL = 0.01;

const counted = { pages: 0, audits: 0 };

/** Checks the content security policy. */
function policy(path, answer) {
  const csp = answer.headers()['content-security-policy'] ?? '';
  const rules = Object.fromEntries(csp.split(';').map((rule) => rule.trim().split(/\s+/)).map(([name, ...of]) => [name, of]));
  if (rules['default-src']?.join() !== "'none'") fault(`default-src ${rules['default-src']}`, path);
  for (const [name, of] of Object.entries(rules)) {
    if (name === 'form-action') continue;
    for (const source of of) if (!["'none'", "'self'"].includes(source)) fault(`the content security policy allows ${source} in ${name}`, path);
  }
}

async function markup(page, path) {
  const direction = await page.evaluate(() => document.dir);
  if (direction !== site.direction) fault(`the writing direction is ${direction}`, path);
  const odd = await page.evaluate(() => {
    const code = [...document.scripts].filter((script) => script.type !== 'application/ld+json');
    const sheets = document.querySelectorAll('link[rel~=stylesheet]');
    return {
      'more than one style sheet': sheets.length > 1,
      'more than one script': code.length > 1,
      'an inline script': code.some((script) => !script.src),
      'a blocking script': code.some((s) => !s.defer && !s.async && s.type !== 'module'),
      'an inline style': document.querySelector('style, [style]') !== null,
      'a picture without a size': [...document.images].some((i) => !i.getAttribute('width') || !i.getAttribute('height')),
    };
  });
  for (const [what, is] of Object.entries(odd)) if (is) fault(what, path);
}

async function audit(page, path, look) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
  const { violations, passes } = await page.evaluate(async () => {
    const options = { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } };
    const { violations, passes } = await window.axe.run(document, options);
    const node = ({ html, failureSummary }) => `${html.slice(0, 160)} — ${failureSummary.replace(/\s+/g, ' ').slice(0, 240)}`;
    return { violations: violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(node) })), passes: passes.length };
  });
  if (passes < 10) fault(`axe checked almost nothing (${passes} rules)`, path);
  for (const { id, help, nodes } of violations) fault(`axe, ${id}: ${help}`, `${path} (${look}; ${nodes.length}): ${nodes[0]}`);
  counted.audits += 1;
}

/** Checks a page in a window of this width. */
async function look(page, width, { path, status }) {
  const answer = await open(page, path, status);
  policy(path, answer);
  for (const source of await pictures(page)) fault(`broken picture: ${source}`, path);
  const shifted = await page.evaluate(() => window.shifted);
  if (!(shifted < STILL)) fault(`layout shift: ${shifted}`, `${path} at ${width} px`);
  await page.evaluate(AXE);
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await audit(page, path, `${width} px, ${scheme}`);
    const light = await page.evaluate(() => {
      const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+(\.\d+)?/g).map(Number);
      return (r + g + b) / 3 / 255;
    });
    if (scheme === 'light' ? light < 0.7 : light > 0.3) fault(`the lightness of the ${scheme} background is ${light}`, path);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  const sideways = await overflow(page);
  if (sideways) fault(`scrolls horizontally: ${sideways}`, `${path} at ${width} px`);
}

/** Everything that is checked only once, while the window is resized. */
async function stretch(page, { path }) {
  await markup(page, path);
  const { width, height } = page.viewportSize();
  for (const direction of ['ltr', 'rtl']) {
    await page.evaluate((direction) => document.documentElement.setAttribute('dir', direction), direction);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height });
      const sideways = await overflow(page);
      if (sideways) fault(`scrolls horizontally, ${direction}: ${sideways}`, `${path} at ${width} px`);
    }
  }
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const moves = await page.evaluate(() => {
    const lasts = (text) => text.split(',').some((time) => Number.parseFloat(time) > 0.001);
    const moving = [...document.querySelectorAll('*')].filter((element) => {
      const style = getComputedStyle(element);
      return lasts(style.transitionDuration) || (style.animationName !== 'none' && lasts(style.animationDuration));
    });
    const smooth = getComputedStyle(document.documentElement).scrollBehavior === 'smooth';
    return moving.length || smooth ? `${moving[0]?.localName}.${moving[0]?.className}` : null;
  });
  if (moves) fault(`animates despite reduced motion: ${moves}`, path);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
}

// No link leads to these pages.
const searches = ['/search?q=film', '/search?q=zzzzzz', '/search?q=film&year=2026&rating='].map((path) => ({ path, status: 200 }));
const errors = [
  { path: '/reviews/no-such-review', status: 404 },
  { path: '/no/such/page', status: 404 },
  { path: `/search?q=${'a'.repeat(10_000)}`, status: 400 },
];
const found = await crawl();
const list = [...chosen(found, site.direction === 'rtl' ? 1 : 2), ...searches, ...errors];
const browser = await launch();
await Promise.all(
  [360, 1280].map(async (width) => {
    const page = await reader(browser, { viewport: { width, height: 900 }, isMobile: false });
    for (const place of list) {
      await look(page, width, place);
      if (width === 1280) await stretch(page, place);
    }
  }),
);
counted.pages = list.length;
await browser.close();
finish(counted);
