// The only user of the Fedify server. Fedify itself creates its activities and reads what it receives.

import {
  createFederation,
  generateCryptoKeyPair,
  getDocumentLoader,
  MemoryKvStore,
  parseNodeInfo,
  verifyRequestDetailed,
} from "@fedify/fedify";
import * as vocab from "@fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

const USER = "fay";
const { PUBLIC_COLLECTION } = vocab;

/** Deliveries of this peer: the destination, the signature scheme, and the status of the response. */
const sent = [];

function schemeOf(request) {
  return request.headers.has("signature-input") ? "rfc9421" : "cavage";
}

/** Records each delivery without changing it. */
export function recordDeliveries() {
  const fetch = globalThis.fetch;
  globalThis.fetch = async (input, options) => {
    const response = await fetch(input, options);
    if (input instanceof Request && input.method === "POST") {
      sent.push({ url: input.url, scheme: schemeOf(input), status: response.status });
    }
    return response;
  };
}

/** Describes an object as Fedify parsed it, for the tests. */
async function describe(object) {
  if (object == null) return null;
  const attachments = [];
  for await (const attachment of object.getAttachments({ suppressError: true })) {
    attachments.push({
      type: attachment.constructor.name,
      url: (attachment.url?.href ?? attachment.url)?.toString() ?? null,
      mediaType: attachment.mediaType ?? null,
      name: attachment.name?.toString() ?? null,
    });
  }
  return {
    id: object.id?.href ?? null,
    type: object.constructor.name,
    attributedTo: object.attributionId?.href ?? null,
    inReplyTo: object.replyTargetId?.href ?? null,
    name: object.name?.toString() ?? null,
    summary: object.summary?.toString() ?? null,
    content: object.content?.toString() ?? null,
    url: (object.url?.href ?? object.url)?.toString() ?? null,
    published: object.published?.toString() ?? null,
    updated: object.updated?.toString() ?? null,
    attachments,
  };
}

export class Peer {
  #received = [];
  #rejected = [];
  #notes = new Map();
  #activities = new Map();
  #critic = null;
  #isDeleted = false;
  /** The only signature scheme that this peer accepts, or null for both. */
  #acceptedScheme = null;

  static async create(host) {
    const peer = new Peer();
    peer.origin = new URL(`https://${host}`);
    peer.loader = getDocumentLoader({ allowPrivateAddress: true });
    peer.keys = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];
    // Signs with RFC 9421 first and with draft-cavage if that is rejected; the other server does the opposite.
    peer.federation = peer.#federation("rfc9421");
    peer.cavageFederation = peer.#federation("draft-cavage-http-signatures-12");
    return peer;
  }

  #federation(firstKnock) {
    const federation = createFederation({
      kv: new MemoryKvStore(),
      origin: this.origin.href,
      allowPrivateAddress: true,
      firstKnock,
    });
    federation
      .setActorDispatcher("/users/{identifier}", (ctx, identifier) => this.#actor(ctx, identifier))
      .setKeyPairsDispatcher((_ctx, identifier) => (identifier === USER ? this.keys : []))
      .mapHandle((_ctx, username) => (username === USER ? USER : null));
    federation.setObjectDispatcher(vocab.Note, "/notes/{id}", (_ctx, { id }) => this.#notes.get(id) ?? null);
    federation
      .setInboxListeners("/users/{identifier}/inbox", "/inbox")
      .on(vocab.Activity, async (ctx, activity) => this.#receive(ctx, activity))
      .onError((_ctx, error) => console.error(error));
    return federation;
  }

  async #actor(ctx, identifier) {
    if (identifier !== USER) return null;
    const id = ctx.getActorUri(identifier);
    if (this.#isDeleted) return new vocab.Tombstone({ id, deleted: Temporal.Now.instant() });
    const keys = await ctx.getActorKeyPairs(identifier);
    return new vocab.Person({
      id,
      preferredUsername: USER,
      name: "Fay of Fedify",
      url: id,
      inbox: ctx.getInboxUri(identifier),
      endpoints: new vocab.Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: keys[0].cryptographicKey,
      assertionMethods: keys.map((key) => key.multikey),
    });
  }

  /** Handles requests from other servers. */
  async serve(request) {
    const path = new URL(request.url).pathname;
    const note = path.startsWith("/notes/") ? this.#notes.get(path.slice(7)) : null;
    if (note instanceof vocab.Tombstone) {
      const headers = { "content-type": "application/activity+json" };
      return Response.json(await note.toJsonLd({ contextLoader: this.loader }), { status: 410, headers });
    }
    let signer = null;
    const scheme = schemeOf(request);
    if (request.method === "POST") {
      if (this.#acceptedScheme !== null && this.#acceptedScheme !== scheme) {
        this.#rejected.push({ path, status: 401 });
        return new Response(null, { status: 401 });
      }
      const options = { documentLoader: this.loader, contextLoader: this.loader };
      const checked = await verifyRequestDetailed(request.clone(), options);
      signer = checked.verified ? checked.key.id.href : null;
    }
    const response = await this.federation.fetch(request, { contextData: { signer, scheme } });
    if (request.method === "POST" && !response.ok) this.#rejected.push({ path, status: response.status });
    return response;
  }

  /** Received activities. Fedify passes on only what it has verified. */
  async #receive(ctx, activity) {
    const object = await activity.getObject({ ...ctx, suppressError: true });
    this.#received.push({
      id: activity.id?.href ?? null,
      type: activity.constructor.name,
      actor: activity.actorId?.href ?? null,
      objectId: activity.objectId?.href ?? null,
      object: await describe(object),
      result: activity.resultId?.href ?? null,
      signer: ctx.data.signer,
      scheme: ctx.data.scheme,
    });
  }

  /** Returns what the peer has seen so far. */
  seen() {
    return { received: this.#received, rejected: this.#rejected, sent };
  }

  /** Carries out a step. */
  async act({ step, scheme, ...params }) {
    const federation = scheme === "cavage" ? this.cavageFederation : this.federation;
    const ctx = federation.createContext(this.origin, { signer: null });
    const steps = {
      look_up: () => this.#lookUp(ctx, params.handle),
      read: async () => describe(await this.#fetch(ctx, params.id)),
      collection: () => this.#collection(ctx, params.id),
      nodeinfo: () => this.#nodeinfo(params.host),
      follow: () => this.#send(ctx, vocab.Follow, { object: this.#critic.id, to: this.#critic.id }),
      reply: () => this.#reply(ctx, params),
      edit: () => this.#edit(ctx, params),
      delete: () => this.#delete(ctx, params.note),
      like: () => this.#send(ctx, vocab.Like, { object: new URL(params.object), to: this.#critic.id }),
      boost: () => this.#send(ctx, vocab.Announce, { object: new URL(params.object), ...this.#publicly(ctx) }),
      undo: () => this.#undo(ctx, params.activity),
      quote: () => this.#quote(ctx, params),
      quote_authorization: () => this.#authorization(ctx, params.id),
      block: () => this.#send(ctx, vocab.Block, { object: this.#critic.id, to: this.#critic.id }),
      delete_actor: () => this.#deleteActor(ctx),
      accept_only: () => ({ scheme: (this.#acceptedScheme = params.only) }),
    };
    if (!(step in steps)) throw new Error(`unknown step: ${step}`);
    return await steps[step]();
  }

  #publicly(ctx) {
    return { tos: [PUBLIC_COLLECTION], ccs: [this.#critic.id, ctx.getActorUri(USER)] };
  }

  /** Fetches with the user's signature, and caches nothing. */
  async #signed(ctx) {
    return { documentLoader: await ctx.getDocumentLoader({ identifier: USER }) };
  }

  async #fetch(ctx, id) {
    return await ctx.lookupObject(id, await this.#signed(ctx));
  }

  async #lookUp(ctx, handle) {
    const actor = await ctx.lookupObject(handle);
    if (!(actor instanceof vocab.Person)) throw new Error(`${handle} is ${actor?.constructor.name}`);
    this.#critic = actor;
    return {
      id: actor.id.href,
      name: actor.name?.toString() ?? null,
      preferredUsername: actor.preferredUsername?.toString() ?? null,
      summary: actor.summary?.toString() ?? null,
      inbox: actor.inboxId?.href ?? null,
      sharedInbox: actor.endpoints?.sharedInbox?.href ?? null,
    };
  }

  /** The ids of all items, page by page. */
  async #collection(ctx, id) {
    const collection = await this.#fetch(ctx, id);
    if (!(collection instanceof vocab.Collection)) throw new Error(`${id} is ${collection?.constructor.name}`);
    const items = [];
    for await (const item of ctx.traverseCollection(collection, await this.#signed(ctx))) {
      items.push(item.id?.href ?? null);
    }
    return { totalItems: collection.totalItems, items };
  }

  async #nodeinfo(host) {
    // Fedify's own lookup only connects to public addresses; what matters here is how it reads NodeInfo.
    const { links } = await (await fetch(`https://${host}/.well-known/nodeinfo`)).json();
    const newest = links.find((link) => link.rel === "http://nodeinfo.diaspora.software/ns/schema/2.1");
    const { software, protocols } = parseNodeInfo(await (await fetch(newest.href)).json());
    return { software: software.name, protocols };
  }

  async #send(ctx, ActivityClass, properties) {
    const id = new URL(`/activities/${crypto.randomUUID()}`, this.origin);
    const activity = new ActivityClass({ id, actor: ctx.getActorUri(USER), ...properties });
    this.#activities.set(id.href, activity);
    const options = { immediate: true, preferSharedInbox: ActivityClass === vocab.Create };
    await ctx.sendActivity({ identifier: USER }, this.#critic, activity, options);
    return { id: id.href };
  }

  #note(ctx, properties) {
    const number = crypto.randomUUID();
    const note = new vocab.Note({
      id: ctx.getObjectUri(vocab.Note, { id: number }),
      attribution: ctx.getActorUri(USER),
      published: Temporal.Now.instant(),
      ...this.#publicly(ctx),
      ...properties,
    });
    this.#notes.set(number, note);
    return note;
  }

  #findNote(ctx, id) {
    const { values } = ctx.parseUri(new URL(id));
    return [values.id, this.#notes.get(values.id)];
  }

  async #reply(ctx, { to, text }) {
    const note = this.#note(ctx, { content: `<p>${text}</p>`, replyTarget: new URL(to) });
    await this.#send(ctx, vocab.Create, { object: note, ...this.#publicly(ctx) });
    return { id: note.id.href };
  }

  async #edit(ctx, { note, text }) {
    const [number, before] = this.#findNote(ctx, note);
    const after = before.clone({ content: `<p>${text}</p>`, updated: Temporal.Now.instant() });
    this.#notes.set(number, after);
    return await this.#send(ctx, vocab.Update, { object: after, ...this.#publicly(ctx) });
  }

  async #delete(ctx, note) {
    const [number] = this.#findNote(ctx, note);
    const tombstone = new vocab.Tombstone({ id: new URL(note), deleted: Temporal.Now.instant() });
    this.#notes.set(number, tombstone);
    return await this.#send(ctx, vocab.Delete, { object: tombstone, ...this.#publicly(ctx) });
  }

  async #undo(ctx, id) {
    return await this.#send(ctx, vocab.Undo, { object: this.#activities.get(id), to: this.#critic.id });
  }

  async #quote(ctx, { article, text }) {
    const quoted = new URL(article);
    const note = this.#note(ctx, { content: `<p>${text}</p>`, quote: quoted, quoteUrl: quoted });
    const request = { object: quoted, instrument: note, to: this.#critic.id };
    const { id } = await this.#send(ctx, vocab.QuoteRequest, request);
    return { id, note: note.id.href };
  }

  async #authorization(ctx, id) {
    const authorization = await this.#fetch(ctx, id);
    if (!(authorization instanceof vocab.QuoteAuthorization)) throw new Error(`${id} is ${authorization?.constructor.name}`);
    return {
      attributedTo: authorization.attributionId?.href ?? null,
      interactingObject: authorization.interactingObjectId?.href ?? null,
      interactionTarget: authorization.interactionTargetId?.href ?? null,
    };
  }

  async #deleteActor(ctx) {
    const result = await this.#send(ctx, vocab.Delete, { object: ctx.getActorUri(USER), tos: [PUBLIC_COLLECTION] });
    this.#isDeleted = true;
    return result;
  }
}
