// Checks the JSON-LD of pages against schema.org's TypeScript definitions (schema-dts): TypeScript finds unknown types,
// properties that a type does not have, and invalid values.

import { join } from 'node:path';

import { fault, packages } from './site.mjs';

const ts = packages('typescript');

/** The file is next to the packages, so that imports find them. */
const FILE = join(process.env.PACKAGES, 'pages.ts');

const OPTIONS = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  types: [],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2022,
};

/** Formats a value as TypeScript. The input of an action (`query-input`) is part of the property names. */
function toTypeScript(value) {
  if (Array.isArray(value)) return `[${value.map(toTypeScript).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${toTypeScript(member)}`);
  const object = `{ ${members.join(', ')} }`;
  if (!Object.keys(value).some((key) => /-(input|output)$/.test(key))) return object;
  const type = `schema.${value['@type']}`;
  return `(${object} satisfies schema.WithActionConstraints<${type}> as ${type})`;
}

/** Checks the JSON-LD of pages: pairs of a path and a value. */
export function check(jsonLd) {
  const lines = ["import type * as schema from 'schema-dts';"];
  for (const [number, [path, value]] of jsonLd.entries()) {
    if (!/^\w+$/.test(value['@type'] ?? '')) fault(`JSON-LD of type ${value['@type']}`, path);
    lines.push(`export const page${number}: schema.WithContext<schema.${value['@type']}> = ${toTypeScript(value)};`);
  }
  const host = ts.createCompilerHost(OPTIONS);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === FILE || fileExists.call(host, name);
  host.getSourceFile = (name, ...rest) =>
    name === FILE ? ts.createSourceFile(name, lines.join('\n'), OPTIONS.target) : getSourceFile.call(host, name, ...rest);
  const program = ts.createProgram([FILE], OPTIONS, host);
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const line = file?.fileName === FILE ? file.getLineAndCharacterOfPosition(start).line : 0;
    fault(`schema.org: ${ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 400)}`, jsonLd[line - 1]?.[0] ?? 'all');
  }
}
