// Shared by all programs in this folder: the site under test, its faults, and plain requests to it.

import https from 'node:https';
import { createRequire } from 'node:module';

/** Loads packages from the folder in which `tests/run` installs them. */
export const packages = createRequire(process.env.PACKAGES);

/** @type {{origin: string, authority: string, resolve: Record<string, number>, folder: string, thread: string,
 *  comments: number, late: string, direction: string, article: string, handle: string, critic: string}} */
export const site = JSON.parse(process.env.SITE);

const faults = new Map();

/** Records a fault; the same fault in many locations is reported once, with the first of them. */
export function fault(message, location) {
  if (!faults.has(message)) faults.set(message, new Set());
  faults.get(message).add(location);
}

/** Ends the script with its counts, or with its faults. */
export function finish(counts) {
  reportFaults();
  console.log(JSON.stringify(counts));
  process.exit(faults.size ? 1 : 0);
}

// A script that fails reports the faults that it has found so far.
process.on('uncaughtException', (error) => {
  reportFaults();
  console.log(error.stack);
  process.exit(1);
});

function reportFaults() {
  for (const [message, locations] of faults) {
    const [first, ...more] = locations;
    console.log(`${message}\n    at ${first}${more.length ? `, and ${more.length} more: ${more.slice(0, 3).join(', ')}` : ''}`);
  }
}

export const HTML = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8';

const agents = new Map();

/** Sends a plain GET request to a host of the test network; no redirect is followed. */
export function request(address, accept = HTML) {
  const url = new URL(address, site.origin);
  const port = site.resolve[url.host];
  if (!port) throw new Error(`no server of this test has the host name ${url.host}`);
  if (!agents.has(url.host)) agents.set(url.host, new https.Agent({ keepAlive: true, maxSockets: 2 }));
  const options = {
    host: '127.0.0.1',
    port,
    servername: url.hostname,
    ca: site.authority,
    agent: agents.get(url.host),
    path: url.pathname + url.search,
    headers: { host: url.host, accept },
  };
  return new Promise((resolve, reject) => {
    https
      .get(options, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
        response.on('error', reject);
      })
      .on('error', reject);
  });
}
