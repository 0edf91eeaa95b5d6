// All documents of the site: html-validate accepts the pages, no link is broken, and the JSON-LD in pages is valid
// schema.org. Saves the documents in a folder for documents.py.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { request, fault, finish, packages, site } from './site.mjs';
import { crawl, pages } from './crawl.mjs';
import { checkMetadata } from './heads.mjs';

const { HtmlValidate } = packages('html-validate');

/** The rules of the HTML standard and for whole documents; style rules are off. */
const validator = new HtmlValidate({
  root: true,
  extends: ['html-validate:standard', 'html-validate:document'],
  // Integrity hashes protect resources from other hosts, and there are none.
  rules: { 'require-sri': 'off' },
});

async function validate(path, html) {
  const report = await validator.validateString(html);
  for (const { messages } of report.results) {
    for (const { ruleId, message, line, column } of messages) {
      const excerpt = html.split('\n')[line - 1]?.slice(Math.max(0, column - 40), column + 60);
      fault(`HTML, ${ruleId}: ${message}`, `${path}:${line}: ${excerpt}`);
    }
  }
}

const found = await crawl();
for (const page of pages(found)) await validate(page.path, page.body.toString());

/** Error pages and search results are pages as well. */
for (const [path, status] of [
  ['/reviews/no-such-review', 404],
  ['/no/such/page', 404],
  ['/@nobody', 404],
  ['/search?q=film&year=2026', 200],
  ['/search?q=zzzzzz', 200],
  [`/search?q=${'a'.repeat(10_000)}`, 400],
]) {
  const response = await request(path);
  if (response.status !== status) fault(`returned ${response.status}, not ${status}`, path);
  else await validate(path, response.body.toString());
}

const folder = join(site.folder, 'documents');
mkdirSync(folder);
const documents = [...found.values()].map(({ path, status, type, body }, number) => {
  writeFileSync(join(folder, String(number)), body);
  return { path, status, type, file: String(number) };
});
writeFileSync(join(folder, 'index.json'), JSON.stringify(documents));
const feeds = documents.filter(({ path }) => /\/(feed\.xml|atom\.xml|feed\.json)$/.test(path)).length;
finish({ pages: pages(found).length, feeds, linked: await checkMetadata(pages(found)) });
