// Finds the documents of a site like a crawler: it starts at the home page, the sitemap and the feeds, and follows every link.

import { ask, fault, HTML, site } from './site.mjs';

/** More than the test site has: an endless crawl is a fault. */
const MOST = 3_000;

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'", '#39': "'", '#x2f': '/' };
const decoded = (text) => text.replace(/&(#?\w+);/g, (whole, name) => ENTITIES[name.toLowerCase()] ?? whole);

/** The attributes of each start tag with this name. */
export function tags(html, name) {
  const found = [];
  for (const [, inside] of html.matchAll(new RegExp(`<${name}\\b([^>]*)>`, 'gi'))) {
    const attributes = {};
    for (const [, key, value] of inside.matchAll(/([\w-]+)="([^"]*)"/g)) attributes[key.toLowerCase()] = decoded(value);
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
    const texts = [...text.matchAll(/<(?:loc|link|comments)>([^<]+)</g)].map(([, url]) => decoded(url));
    const hrefs = tags(text, 'link').filter((link) => !/activity\+json/.test(link.type ?? ''));
    return [...texts, ...hrefs.map((link) => link.href).filter(Boolean)];
  }
  return [];
}

/** The type of page at a URL: pages of one type use the same template. */
export function sort(path) {
  const { pathname, searchParams } = new URL(path, site.origin);
  const [first, ...rest] = pathname.split('/').slice(1);
  const query = [...searchParams.keys()].sort().join('&');
  const below = rest.length ? ['*', ...rest.slice(1)] : [];
  return `/${[first.startsWith('@') ? '@' : first, ...below].join('/')}${query ? `?${query}` : ''}`;
}

/** Every reachable document by path, with status, type and body. Broken links are faults. */
export async function crawl() {
  const found = new Map();
  const open = ['/', '/sitemap.xml', '/feed.xml', '/atom.xml', '/feed.json', '/robots.txt'].map((path) => [path, 'the list']);
  const fragments = [];
  const known = new Set(open.map(([path]) => path));
  while (open.length && found.size < MOST) {
    const [path, from] = open.shift();
    const answer = await ask(path, HTML);
    const type = answer.head['content-type'] ?? '';
    if (answer.status !== 200) fault(`broken link: ${path} returned ${answer.status}`, from);
    const document = { path, status: answer.status, head: answer.head, type, body: answer.body };
    found.set(path, document);
    for (const href of links(document)) {
      const url = new URL(href, site.origin + path);
      if (url.origin !== site.origin) continue;
      const next = url.pathname + url.search;
      if (url.hash) fragments.push([next, decodeURIComponent(url.hash.slice(1)), path]);
      if (!known.has(next)) {
        known.add(next);
        open.push([next, path]);
      }
    }
  }
  if (open.length) fault(`the crawl found too many pages: ${open[0][0]}`, open[0][1]);
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
const TELLING = ['Two and a half', 'unbroken', 'ביקורת'];

const tells = (page) => site.thread.endsWith(page.path) || TELLING.some((words) => page.body.includes(words));

/**
 * The largest pages of each type, up to `many`: pages of one type use the same template and differ only in their contents.
 * Of reviews, also those that are harder to lay out, including the long thread.
 */
export function chosen(found, many) {
  const sorts = new Map();
  for (const page of pages(found)) {
    const name = sort(page.path);
    if (!sorts.has(name)) sorts.set(name, []);
    sorts.get(name).push(page);
  }
  const longest = (list) => list.sort((a, b) => b.body.length - a.body.length || (a.path < b.path ? -1 : 1));
  return [...sorts].flatMap(([name, list]) => {
    const first = longest(list).slice(0, many);
    return name === '/reviews/*' ? [...new Set([...first, ...list.filter(tells)])] : first;
  });
}
