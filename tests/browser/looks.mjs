// Layout: pages at 360 and 1,280 px, in light and dark, without axe violations; at any width from 320 to 1,600 px, in both
// writing directions, without horizontal scrolling; nothing moves, and nothing is requested from another host.

import { readFileSync } from 'node:fs';

import { fault, finish, packages, site } from './site.mjs';
import { selectPages, crawl } from './crawl.mjs';
import { launch, open, findOverflow, loadImages, newReaderPage } from './browser.mjs';

const AXE = readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8');

/** Window widths in px, in addition to the two at which everything is checked. */
const WIDTHS = [320, 412, 540, 700, 768, 900, 1024, 1440, 1600];

/** The largest sum of layout shifts that is not a fault. */
const MAX_LAYOUT_SHIFT = 0.01;

const counts = { pages: 0, audits: 0 };

/** Checks the content security policy. */
function checkPolicy(path, response) {
  const csp = response.headers()['content-security-policy'] ?? '';
  const rules = Object.fromEntries(csp.split(';').map((rule) => rule.trim().split(/\s+/)).map(([name, ...sources]) => [name, sources]));
  if (rules['default-src']?.join() !== "'none'") fault(`default-src ${rules['default-src']}`, path);
  for (const [name, sources] of Object.entries(rules)) {
    if (name === 'form-action') continue;
    for (const source of sources) if (!["'none'", "'self'"].includes(source)) fault(`the content security policy allows ${source} in ${name}`, path);
  }
}

async function checkMarkup(page, path) {
  const direction = await page.evaluate(() => document.dir);
  if (direction !== site.direction) fault(`the writing direction is ${direction}`, path);
  const problems = await page.evaluate(() => {
    const code = [...document.scripts].filter((script) => script.type !== 'application/ld+json');
    const sheets = document.querySelectorAll('link[rel~=stylesheet]');
    return {
      'more than one style sheet': sheets.length > 1,
      'more than one script': code.length > 1,
      'an inline script': code.some((script) => !script.src),
      'a blocking script': code.some((s) => !s.defer && !s.async && s.type !== 'module'),
      'an inline style': document.querySelector('style, [style]') !== null,
      'an image without a size': [...document.images].some((i) => !i.getAttribute('width') || !i.getAttribute('height')),
    };
  });
  for (const [problem, exists] of Object.entries(problems)) if (exists) fault(problem, path);
}

async function checkAccessibility(page, path, variant) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
  const { violations, passes } = await page.evaluate(async () => {
    const options = { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } };
    const { violations, passes } = await window.axe.run(document, options);
    const node = ({ html, failureSummary }) => `${html.slice(0, 160)} — ${failureSummary.replace(/\s+/g, ' ').slice(0, 240)}`;
    return { violations: violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(node) })), passes: passes.length };
  });
  if (passes < 10) fault(`axe checked almost nothing (${passes} rules)`, path);
  for (const { id, help, nodes } of violations) fault(`axe, ${id}: ${help}`, `${path} (${variant}; ${nodes.length}): ${nodes[0]}`);
  counts.audits += 1;
}

/** Checks a page at one window width. */
async function checkPage(page, width, { path, status }) {
  const response = await open(page, path, status);
  checkPolicy(path, response);
  for (const source of await loadImages(page)) fault(`broken image: ${source}`, path);
  const shifted = await page.evaluate(() => window.shifted);
  if (!(shifted < MAX_LAYOUT_SHIFT)) fault(`layout shift: ${shifted}`, `${path} at ${width} px`);
  await page.evaluate(AXE);
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await checkAccessibility(page, path, `${width} px, ${scheme}`);
    const light = await page.evaluate(() => {
      const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+(\.\d+)?/g).map(Number);
      return (r + g + b) / 3 / 255;
    });
    if (scheme === 'light' ? light < 0.7 : light > 0.3) fault(`the lightness of the ${scheme} background is ${light}`, path);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  const overflowing = await findOverflow(page);
  if (overflowing) fault(`scrolls horizontally: ${overflowing}`, `${path} at ${width} px`);
}

/** Checks what needs only one run per page: markup, all widths in both writing directions, and reduced motion. */
async function checkWidths(page, { path }) {
  await checkMarkup(page, path);
  const { width, height } = page.viewportSize();
  for (const direction of ['ltr', 'rtl']) {
    await page.evaluate((direction) => document.documentElement.setAttribute('dir', direction), direction);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height });
      const overflowing = await findOverflow(page);
      if (overflowing) fault(`scrolls horizontally, ${direction}: ${overflowing}`, `${path} at ${width} px`);
    }
  }
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const animated = await page.evaluate(() => {
    const isAnimated = (text) => text.split(',').some((time) => Number.parseFloat(time) > 0.001);
    const moving = [...document.querySelectorAll('*')].filter((element) => {
      const style = getComputedStyle(element);
      return isAnimated(style.transitionDuration) || (style.animationName !== 'none' && isAnimated(style.animationDuration));
    });
    const smooth = getComputedStyle(document.documentElement).scrollBehavior === 'smooth';
    return moving.length || smooth ? `${moving[0]?.localName}.${moving[0]?.className}` : null;
  });
  if (animated) fault(`animates despite reduced motion: ${animated}`, path);
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
const targets = [...selectPages(found, site.direction === 'rtl' ? 1 : 2), ...searches, ...errors];
const browser = await launch();
await Promise.all(
  [360, 1280].map(async (width) => {
    const page = await newReaderPage(browser, { viewport: { width, height: 900 }, isMobile: false });
    for (const target of targets) {
      await checkPage(page, width, target);
      if (width === 1280) await checkWidths(page, target);
    }
  }),
);
counts.pages = targets.length;
await browser.close();
finish(counts);
