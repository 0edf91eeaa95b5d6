// An author on Fedify for the fan-out benchmark, which publishes to a given number of inboxes. It reads commands from
// standard input and writes responses to standard output, as one line of JSON each. Its queue and its store are
// Fedify's own, on SQLite. Runs on Node and on Bun.

import { createInterface } from "node:readline";
import { createFederation, ParallelMessageQueue } from "@fedify/fedify";
import { SqliteKvStore, SqliteMessageQueue } from "@fedify/sqlite";
import { Article, Create, Person, PUBLIC_COLLECTION } from "@fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

const USER = "fay";

// Of the same length as the reviews that the benchmark publishes with Marquee.
const PARAGRAPH = `<p>${"A long take through the rain, and then the lights go out. ".repeat(12)}</p>`;

async function open(path) {
  if (process.versions.bun) {
    const { Database } = await import("bun:sqlite");
    return new Database(path, { create: true });
  }
  const { DatabaseSync } = await import("node:sqlite");
  return new DatabaseSync(path);
}

async function freshKey(bits) {
  const publicExponent = new Uint8Array([1, 0, 1]);
  const algorithm = { name: "RSASSA-PKCS1-v1_5", modulusLength: bits, publicExponent, hash: "SHA-256" };
  return await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

function pem(der) {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g);
  return `-----BEGIN PUBLIC KEY-----\n${lines.join("\n")}\n-----END PUBLIC KEY-----\n`;
}

class Author {
  /** Creates the author, and returns its public key as well. */
  static async create({ origin, database, inboxes, workers, breaker, key: bits }) {
    const author = new Author();
    const [sqlite, key] = [await open(database), await freshKey(bits)];
    const federation = createFederation({
      kv: new SqliteKvStore(sqlite),
      queue: new ParallelMessageQueue(new SqliteMessageQueue(sqlite), workers),
      origin,
      // The status that the sink returns, so that nothing is sent twice.
      firstKnock: "draft-cavage-http-signatures-12",
      ...(breaker ? {} : { circuitBreaker: false }),
    });
    federation
      .setActorDispatcher("/users/{identifier}", (ctx, user) => new Person({ id: ctx.getActorUri(user) }))
      .setKeyPairsDispatcher(() => [key]);
    author.context = federation.createContext(new URL(origin), undefined);
    author.followers = inboxes.map((inbox) => (
      { id: new URL(`${inbox}/owner`), inboxId: new URL(inbox), endpoints: null }
    ));
    const [{ keyId }] = await author.context.getActorKeyPairs(USER);
    return [author, { key_id: keyId.href, pem: pem(await crypto.subtle.exportKey("spki", key.publicKey)) }];
  }

  /** Publishes to a number of followers; the deliveries are in the queue when it returns. */
  async publish({ to }) {
    const number = crypto.randomUUID();
    const actor = this.context.getActorUri(USER);
    const id = (kind) => new URL(`/${kind}/${number}`, actor);
    const article = new Article({
      id: id("articles"),
      attribution: actor,
      name: `The Third Row ${number}`,
      content: `${PARAGRAPH}${PARAGRAPH}`,
      url: id("reviews"),
      published: Temporal.Now.instant(),
      to: PUBLIC_COLLECTION,
    });
    const create = new Create({ id: id("activities"), actor, object: article, to: PUBLIC_COLLECTION });
    await this.context.sendActivity({ identifier: USER }, this.followers.slice(0, to), create);
    return {};
  }
}

function writeLine(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

let author = null;
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (author !== null) {
    writeLine(await author.publish(order));
    continue;
  }
  const [created, ready] = await Author.create(order);
  author = created;
  writeLine(ready);
}
process.exit(0);
