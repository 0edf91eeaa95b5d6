// Chromium inside the test network: it resolves only the names of that network, and connects only to loopback.

import { fault, packages, site } from './site.mjs';

const { chromium } = packages('playwright-core');

/** How long to wait for anything, in milliseconds; reached only if a test fails. */
const TIMEOUT = 30_000;

export async function launch() {
  const resolverRules = Object.entries(site.resolve).map(([host, port]) => `MAP ${host}:443 127.0.0.1:${port}`);
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      `--host-resolver-rules=${[...resolverRules, 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1'].join(', ')}`,
      '--no-proxy-server',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-domain-reliability',
      '--disable-quic',
      '--disable-sync',
      '--no-default-browser-check',
      '--no-first-run',
      '--no-pings',
      '--font-render-hinting=none',
    ],
    chromiumSandbox: false,
  });
}

/** Adds up layout shifts. Scripts of the test are not subject to the page's policy. */
function observeLayoutShifts() {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
}

/**
 * Opens a browser window and returns its page. Console errors, failed requests and requests to other hosts are faults,
 * except for requests to `otherHosts`, to which a step may navigate.
 */
export async function newReaderPage(browser, options = {}, otherHosts = []) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', timezoneId: 'UTC', ...options });
  context.setDefaultTimeout(TIMEOUT);
  const script = options.javaScriptEnabled !== false;
  if (script) await context.addInitScript(observeLayoutShifts);
  const page = await context.newPage();
  const ownHost = new URL(site.origin).host;
  page.on('console', (message) => {
    // Chromium logs each response with an error status, and error pages have one.
    const expected = page.expectsErrorStatus && /status of 4\d\d/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !expected) fault(`console message: ${message.text()}`, page.url());
  });
  page.on('pageerror', (error) => fault(`script error: ${error.message}`, page.url()));
  context.on('request', (request) => {
    const { host, protocol } = new URL(request.url());
    if (protocol !== 'https:' || (host !== ownHost && !otherHosts.includes(host))) fault(`a request to ${request.url()}`, page.url());
  });
  context.on('response', (response) => {
    if (response.status() >= 400 && !page.expectsErrorStatus) fault(`${response.url()} returned ${response.status()}`, page.url());
  });
  context.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText;
    if (reason !== 'net::ERR_ABORTED') fault(`could not fetch ${request.url()}: ${reason}`, page.url());
  });
  return page;
}

/** Opens a page of the site; any other status than `status` is a fault. */
export async function open(page, path, status = 200) {
  page.expectsErrorStatus = status >= 400;
  const response = await page.goto(new URL(path, site.origin).href, { waitUntil: 'load' });
  if (response.status() !== status) fault(`returned ${response.status()}, not ${status}`, path);
  return response;
}

/** Waits until every image has loaded, including those outside the viewport; returns those that cannot be shown. */
export function loadImages(page) {
  return page.evaluate(async () => {
    const broken = [];
    for (const image of document.images) {
      if (!image.checkVisibility()) continue;
      image.scrollIntoView();
      await image.decode().catch(() => broken.push(image.currentSrc || image.src));
    }
    window.scrollTo(0, 0);
    await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
    return broken;
  });
}

/** The elements that overflow if the page scrolls horizontally; none if it does not. */
export function findOverflow(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    const excess = root.scrollWidth - root.clientWidth;
    if (excess <= 0) return null;
    const outside = [...document.body.querySelectorAll('*')].filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && (right > root.clientWidth + 0.5 || left < -0.5);
    });
    const named = outside.slice(-3).map((e) => `${e.localName}.${e.className} “${e.textContent.trim().slice(0, 30)}”`);
    return `${excess} px: ${named.join('; ')}`;
  });
}
