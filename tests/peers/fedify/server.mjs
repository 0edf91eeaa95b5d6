// A Fedify server for the tests: a public HTTPS server and, on loopback, the control server that tests/peers/README.md
// describes. It prints one line of JSON when both are listening.

import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { configure } from "@logtape/logtape";
import { recordDeliveries, Peer } from "./peer.mjs";

const { PEER_HOST, PEER_CERTIFICATE, PEER_KEY } = process.env;
const MAX_BODY_SIZE = 4 * 1024 * 1024;

async function bodyOf(incoming) {
  const chunks = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length > MAX_BODY_SIZE) throw new Error("the body is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Converts a request of Node to a `Request`, which Fedify expects. */
async function requestOf(incoming) {
  const headers = new Headers();
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index], incoming.rawHeaders[index + 1]);
  }
  const url = new URL(incoming.url, `https://${PEER_HOST}`);
  const body = incoming.method === "POST" ? await bodyOf(incoming) : undefined;
  return new Request(url, { method: incoming.method, headers, body });
}

async function sendResponse(outgoing, response) {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

function withErrors(handle) {
  return (incoming, outgoing) => {
    handle(incoming, outgoing).catch((error) => {
      console.error(error);
      outgoing.writeHead(500, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ error: String(error?.stack ?? error) }));
    });
  };
}

function listen(server) {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

// A failing test prints this log.
await configure({
  contextLocalStorage: new AsyncLocalStorage(),
  sinks: { log: ({ category, level, message }) => console.error(level, category.join("."), ...message) },
  loggers: [
    { category: "fedify", lowestLevel: "info", sinks: ["log"] },
    { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["log"] },
  ],
});
recordDeliveries();
const peer = await Peer.create(PEER_HOST);
const certificate = { cert: readFileSync(PEER_CERTIFICATE), key: readFileSync(PEER_KEY) };
const publicServer = createTlsServer(certificate, withErrors(async (incoming, outgoing) => {
  await sendResponse(outgoing, await peer.serve(await requestOf(incoming)));
}));
const controlServer = createServer(withErrors(async (incoming, outgoing) => {
  const result = incoming.method === "POST"
    ? await peer.act(JSON.parse(String(await bodyOf(incoming))))
    : peer.seen();
  await sendResponse(outgoing, Response.json(result));
}));
console.log(JSON.stringify({ port: await listen(publicServer), control: await listen(controlServer) }));
