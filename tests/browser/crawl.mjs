// Finds the documents of a site like a crawler: it starts at the home page, the sitemap and the feeds, and follows every link.

import { request, fault, HTML, site } from './site.mjs';

/** The most documents to fetch; the test site has fewer, so more mean an endless crawl. */
const MAX_DOCUMENTS = 3_000;

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'", '#39': "'", '#x2f': '/' };
const decodeEntities = (text) => text.replace(/&(#?\w+);/g, (whole, name) => ENTITIES[name.toLowerCase()] ?? whole);

/** The attributes of each start tag with this name. */
export function tags(html, name) {
  const found = [];
  for (const [, text] of html.matchAll(new RegExp(`<${name}\\b([^>]*)>`, 'gi'))) {
    const attributes = {};
    for (const [, key, value] of text.matchAll(/([\w-]+)="([^"]*)"/g)) attributes[key.toLowerCase()] = decodeEntities(value);
    found.push(attributes);
  }
  return found;
}

/** The links of a document. */
function links(document) {
  const text = document.body.toString();
  if (document.type.startsWith('text/html')) {
    // Documents for other servers are tested elsewhere.
    const heads = tags(text, 'link').filter((link) => !/activity\+json/.test(link.type ?? ''));
    return [...tags(text, 'a'), ...heads].map((link) => link.href).filter((href) => href !== undefined);
  }
  if (document.type.includes('json')) {
    return [...text.matchAll(/"(?:url|home_page_url|feed_url)":\s*"([^"]+)"/g)].map(([, url]) => url);
  }
  if (document.type.includes('xml')) {
    const texts = [...text.matchAll(/<(?:loc|link|comments)>([^<]+)</g)].map(([, url]) => decodeEntities(url));
    const hrefs = tags(text, 'link').filter((link) => !/activity\+json/.test(link.type ?? ''));
    return [...texts, ...hrefs.map((link) => link.href).filter(Boolean)];
  }
  return [];
}

/** The type of page at a URL: pages of one type use the same template. */
export function pageType(path) {
  const { pathname, searchParams } = new URL(path, site.origin);
  const [first, ...rest] = pathname.split('/').slice(1);
  const query = [...searchParams.keys()].sort().join('&');
  const below = rest.length ? ['*', ...rest.slice(1)] : [];
  return `/${[first.startsWith('@') ? '@' : first, ...below].join('/')}${query ? `?${query}` : ''}`;
}

/** Every reachable document by path, with status, type and body. Broken links are faults. */
export async function crawl() {
  const found = new Map();
  const queue = ['/', '/sitemap.xml', '/feed.xml', '/atom.xml', '/feed.json', '/robots.txt'].map((path) => [path, 'the list']);
  const fragments = [];
  const seen = new Set(queue.map(([path]) => path));
  while (queue.length && found.size < MAX_DOCUMENTS) {
    const [path, from] = queue.shift();
    const response = await request(path, HTML);
    const type = response.headers['content-type'] ?? '';
    if (response.status !== 200) fault(`broken link: ${path} returned ${response.status}`, from);
    const document = { path, status: response.status, headers: response.headers, type, body: response.body };
    found.set(path, document);
    for (const href of links(document)) {
      const url = new URL(href, site.origin + path);
      if (url.origin !== site.origin) continue;
      const next = url.pathname + url.search;
      if (url.hash) fragments.push([next, decodeURIComponent(url.hash.slice(1)), path]);
      if (!seen.has(next)) {
        seen.add(next);
        queue.push([next, path]);
      }
    }
  }
  if (queue.length) fault(`the crawl found too many pages: ${queue[0][0]}`, queue[0][1]);
  for (const [path, id, from] of fragments) {
    const target = found.get(path);
    if (!target?.type.startsWith('text/html') || target.status !== 200) continue;
    if (!target.body.includes(`id="${id}"`)) fault(`broken link: ${path} has no element with the id ${id}`, from);
  }
  return found;
}

/** The pages among them. */
export function pages(found) {
  return [...found.values()].filter((document) => document.type.startsWith('text/html'));
}

/** Content that is harder to lay out: all elements, and right-to-left text. */
const DIFFICULT_TEXTS = ['Two and a half', 'unbroken', 'ביקורת'];

const isDifficult = (page) => site.thread.endsWith(page.path) || DIFFICULT_TEXTS.some((words) => page.body.includes(words));

/**
 * The largest pages of each type, up to `limit`: pages of one type use the same template and differ only in their contents.
 * Of reviews, also those that are harder to lay out, including the long thread.
 */
export function selectPages(found, limit) {
  const pagesByType = new Map();
  for (const page of pages(found)) {
    const name = pageType(page.path);
    if (!pagesByType.has(name)) pagesByType.set(name, []);
    pagesByType.get(name).push(page);
  }
  const byLength = (list) => list.sort((a, b) => b.body.length - a.body.length || (a.path < b.path ? -1 : 1));
  return [...pagesByType].flatMap(([name, list]) => {
    const first = byLength(list).slice(0, limit);
    return name === '/reviews/*' ? [...new Set([...first, ...list.filter(isDifficult)])] : first;
  });
}
