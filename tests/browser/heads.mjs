// Checks the metadata for link previews and search engines in the heads of pages.

import { request, fault, site } from './site.mjs';
import { pageType, tags } from './crawl.mjs';
import { check } from './vocabulary.mjs';

/** The schema.org type of each type of page. */
const SCHEMA_TYPES = {
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

/** Types of pages that always have a preview image. */
const TYPES_WITH_IMAGE = ['/', '/@', '/reviews/*'];

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The JSON-LD of a page. */
function readJsonLd(page) {
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

/** The preview image exists and has the size that the page states. */
async function checkPreviewImage(page, metadata) {
  const url = metadata.get('og:image');
  if (!url && !TYPES_WITH_IMAGE.includes(pageType(page.path))) return undefined;
  if (!url?.startsWith(`${site.origin}/`)) return fault(`the preview image is ${url}`, page.path);
  const response = await request(url, 'image/*');
  const type = response.headers['content-type'];
  if (response.status !== 200 || !type?.startsWith('image/')) fault(`${url} returned ${response.status}, ${type}`, page.path);
  if (!metadata.get('og:image:alt')) fault('the preview image has no alternative text', page.path);
  if (type !== metadata.get('og:image:type')) fault(`og:image:type is not ${type}`, page.path);
  const size = ['width', 'height'].map((name) => Number(metadata.get(`og:image:${name}`)));
  if (!metadata.has('og:image:width') || !response.body.subarray(0, 8).equals(PNG)) return undefined;
  const actualSize = [response.body.readUInt32BE(16), response.body.readUInt32BE(20)];
  if (String(actualSize) !== String(size)) fault(`the preview image has the size ${actualSize}, but og:image states ${size}`, page.path);
  return undefined;
}

/** Checks the heads of all pages with metadata; returns how many of them have JSON-LD. */
export async function checkMetadata(pages) {
  const jsonLd = [];
  for (const page of pages) {
    const schemaTypes = SCHEMA_TYPES[pageType(page.path)];
    if (!schemaTypes) continue;
    const values = readJsonLd(page);
    if (!values.some((value) => schemaTypes.includes(value['@type']))) fault(`the JSON-LD has no ${schemaTypes[0]}`, page.path);
    jsonLd.push(...values.map((value) => [page.path, value]));
    const properties = tags(page.body.toString(), 'meta').filter((meta) => meta.property);
    const metadata = new Map(properties.map((meta) => [meta.property, meta.content ?? '']));
    for (const name of ['og:title', 'og:type', 'og:url', 'og:site_name']) {
      if (!metadata.get(name)) fault(`has no ${name}`, page.path);
    }
    if (metadata.get('og:url') !== site.origin + page.path) fault(`og:url is ${metadata.get('og:url')}`, page.path);
    await checkPreviewImage(page, metadata);
  }
  check(jsonLd);
  return jsonLd.length;
}
