// Checks the metadata for link previews and search engines in the heads of pages.

import { ask, fault, site } from './site.mjs';
import { sort, tags } from './crawl.mjs';
import { check } from './vocabulary.mjs';

/** The schema.org type of each type of page. */
const KINDS = {
  '/': ['WebSite'],
  '/@': ['ProfilePage'],
  '/reviews/*': ['Review', 'Article'],
  '/reviews': ['CollectionPage'],
  '/films/*': ['Movie'],
  '/people/*': ['Person'],
  '/tags/*': ['CollectionPage'],
  '/years/*': ['CollectionPage'],
  '/ratings/*': ['CollectionPage'],
};

/** Types of pages that always have a picture. */
const PICTURED = ['/', '/@', '/reviews/*'];

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The JSON-LD of a page. */
function linked(page) {
  const html = page.body.toString();
  const blocks = [...html.matchAll(/<script type="application\/ld\+json">([^]*?)<\/script>/g)];
  return blocks.flatMap(([, text]) => {
    try {
      const value = JSON.parse(text);
      if (!/^https?:\/\/schema\.org\/?$/.test(value['@context'])) fault(`JSON-LD has the context ${value['@context']}`, page.path);
      return [value];
    } catch (error) {
      fault(`JSON-LD is not valid JSON: ${error.message}`, page.path);
      return [];
    }
  });
}

/** The preview picture exists and has the size that the page states. */
async function picture(page, told) {
  const address = told.get('og:image');
  if (!address && !PICTURED.includes(sort(page.path))) return undefined;
  if (!address?.startsWith(`${site.origin}/`)) return fault(`the preview picture is ${address}`, page.path);
  const answer = await ask(address, 'image/*');
  const type = answer.head['content-type'];
  if (answer.status !== 200 || !type?.startsWith('image/')) fault(`${address} returned ${answer.status}, ${type}`, page.path);
  if (!told.get('og:image:alt')) fault('the preview picture has no alternative text', page.path);
  if (type !== told.get('og:image:type')) fault(`og:image:type is not ${type}`, page.path);
  const size = ['width', 'height'].map((name) => Number(told.get(`og:image:${name}`)));
  if (!told.has('og:image:width') || !answer.body.subarray(0, 8).equals(PNG)) return undefined;
  const real = [answer.body.readUInt32BE(16), answer.body.readUInt32BE(20)];
  if (String(real) !== String(size)) fault(`the preview picture has the size ${real}, but og:image states ${size}`, page.path);
  return undefined;
}

/** Checks the heads of all pages with metadata; returns how many of them have JSON-LD. */
export async function heads(pages) {
  const said = [];
  for (const page of pages) {
    const kinds = KINDS[sort(page.path)];
    if (!kinds) continue;
    const values = linked(page);
    if (!values.some((value) => kinds.includes(value['@type']))) fault(`the JSON-LD has no ${kinds[0]}`, page.path);
    said.push(...values.map((value) => [page.path, value]));
    const metas = tags(page.body.toString(), 'meta').filter((meta) => meta.property);
    const told = new Map(metas.map((meta) => [meta.property, meta.content ?? '']));
    for (const name of ['og:title', 'og:type', 'og:url', 'og:site_name']) {
      if (!told.get(name)) fault(`has no ${name}`, page.path);
    }
    if (told.get('og:url') !== site.origin + page.path) fault(`og:url is ${told.get('og:url')}`, page.path);
    await picture(page, told);
  }
  check(said);
  return said.length;
}
