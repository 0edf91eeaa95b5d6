"""A bovine server for the tests.

It has a public HTTPS server and, on loopback, the control server that tests/peers/README.md describes. It prints one line of
JSON when both are listening. bovine itself signs, verifies, looks up and builds everything.
"""

import asyncio
import json
import os
import ssl
import sys
import traceback
import uuid

import aiohttp
from aiohttp import web
from bovine import BovineActor
from bovine.activitystreams import Actor, factories_for_actor_object
from bovine.activitystreams.collection_helper import CollectionHelper
from bovine.activitystreams.object_factory import Object
from bovine.clients import fetch_nodeinfo, lookup_uri_with_webfinger
from bovine.crypto import build_validate_http_signature_raw, generate_rsa_public_private_key
from bovine.crypto.types import CryptographicIdentifier
from bovine.parse import Activity as ParsedActivity
from bovine.parse import Actor as ParsedActor
from bovine.types.nodeinfo import NodeInfo
from bovine.utils import now_isoformat, webfinger_response_json

HOST = os.environ["PEER_HOST"]
ORIGIN = f"https://{HOST}"
USER = "bo"
AS2 = "application/activity+json"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
MAX_BODY_SIZE = 4 * 1024 * 1024


def without_context(document):
    """Returns a document without its @context; bovine then assumes its own context."""
    return {key: value for key, value in document.items() if key != "@context"}


def describe(document):
    """Describes an object for the tests."""
    if not isinstance(document, dict):
        return None
    attachments = document.get("attachment", [])
    attachments = attachments if isinstance(attachments, list) else [attachments]
    fields = {
        key: document.get(key)
        for key in ("id", "type", "attributedTo", "inReplyTo", "name", "summary", "content", "url")
        + ("published", "updated")
    }
    keys = ("type", "url", "mediaType", "name")
    return {**fields, "attachments": [{key: attachment.get(key) for key in keys} for attachment in attachments]}


class Peer:
    """A user."""

    def __init__(self):
        self.received, self.rejected, self.sent = [], [], []
        self.objects, self.activities = {}, {}
        self.critic, self.is_deleted = None, False
        public, private = generate_rsa_public_private_key()
        self.id = f"{ORIGIN}/users/{USER}"
        self.document = Actor(
            id=self.id,
            preferred_username=USER,
            name="Bo of Bovine",
            url=self.id,
            inbox=f"{self.id}/inbox",
            outbox=f"{self.id}/outbox",
            followers=f"{self.id}/followers",
            public_key=public,
            public_key_name="main-key",
        ).build()
        self.actor = BovineActor(actor_id=self.id, public_key_url=f"{self.id}#main-key", secret=private)
        self.activity_factory, self.object_factory = factories_for_actor_object(self.document, id_generator=self.new_id)
        self.verify = build_validate_http_signature_raw(self.key)

    async def start(self):
        self.session = aiohttp.ClientSession(trust_env=True)
        await self.actor.init(session=self.session)

    @staticmethod
    def new_id():
        return f"{ORIGIN}/things/{uuid.uuid4()}"

    async def key(self, key_id):
        """The key with this id, as its owner serves it."""
        owner = ParsedActor(without_context(await self.actor.get(key_id)))
        return CryptographicIdentifier.from_pem(owner.publicKeyPem(key_id), owner.id)

    # Public documents.

    async def webfinger(self, request):
        if request.query.get("resource") not in (f"acct:{USER}@{HOST}", self.id):
            raise web.HTTPNotFound
        return web.json_response(webfinger_response_json(f"acct:{USER}@{HOST}", self.id))

    async def user(self, _request):
        if self.is_deleted:
            tombstone = Object(type="Tombstone", id=self.id).build()
            return web.json_response(tombstone, status=410, content_type=AS2)
        return web.json_response(self.document, content_type=AS2)

    async def object_document(self, request):
        document = self.objects.get(f"{ORIGIN}{request.path}")
        if document is None:
            raise web.HTTPNotFound
        status = 410 if document["type"] == "Tombstone" else 200
        return web.json_response(document, status=status, content_type=AS2)

    async def inbox(self, request):
        body = await request.read()
        url = f"{ORIGIN}{request.path_qs}"
        signer = await self.verify("post", url, request.headers, request.read)
        if signer is None:
            self.rejected.append({"path": request.path, "status": 401})
            return web.Response(status=401)
        activity = json.loads(body)
        parsed = ParsedActivity(without_context(activity))
        # Raises if the created object does not belong to its actor.
        await parsed.object_for_create(self.actor.get)
        if parsed.actor_id != signer:
            self.rejected.append({"path": request.path, "status": 403})
            return web.Response(status=403)
        object = activity.get("object")
        self.received.append({
            "id": activity.get("id"),
            "type": activity["type"],
            "actor": parsed.actor_id,
            "objectId": object if isinstance(object, str) else object.get("id"),
            "object": describe(object),
            "result": activity.get("result"),
            "signer": signer,
        })
        return web.Response(status=202)

    # Actions.

    async def look_up(self, handle):
        uri, _ = await lookup_uri_with_webfinger(self.session, f"acct:{handle}")
        self.critic = await self.actor.get(uri)
        if not await ParsedActor(without_context(self.critic)).validate_acct_uri(session=self.session):
            raise ValueError(f"{handle} and {uri} do not refer to each other")
        fields = ("id", "name", "preferredUsername", "summary", "inbox")
        shared = self.critic.get("endpoints", {}).get("sharedInbox")
        return {**{key: self.critic.get(key) for key in fields}, "sharedInbox": shared}

    async def send(self, activity, shared=False):
        activity = activity if isinstance(activity, dict) else activity.build()
        self.activities[activity["id"]] = activity
        inbox = self.critic["endpoints"]["sharedInbox"] if shared else self.critic["inbox"]
        response = await self.actor.post(inbox, activity)
        self.sent.append({"url": inbox, "scheme": "cavage", "status": response.status})
        return {"id": activity["id"]}

    async def read(self, id):
        return describe(await self.actor.get(id))

    async def collection(self, id):
        """The ids of all items, page by page."""
        items = [item async for item in CollectionHelper(id, self)]
        total = (await self.actor.get(id)).get("totalItems")
        return {"totalItems": total, "items": [item if isinstance(item, str) else item["id"] for item in items]}

    async def proxy(self, id):
        """Fetches for a CollectionHelper, which is made for clients whose server fetches for them."""
        return await self.actor.get(id)

    async def nodeinfo(self, host):
        info = NodeInfo.model_validate(await fetch_nodeinfo(self.session, host))
        return {"software": info.software.name, "protocols": [protocol.value for protocol in info.protocols]}

    async def follow(self):
        return await self.send(self.activity_factory.follow(self.critic["id"]))

    async def reply(self, to, text):
        parent = await self.actor.get(to)
        # bovine replies with the same type: an Article to an Article.
        note = self.object_factory.reply(parent, content=f"<p>{text}</p>").as_public().build()
        self.objects[note["id"]] = note
        await self.send(self.activity_factory.create(note).as_public(), shared=True)
        return {"id": note["id"]}

    async def edit(self, note, text):
        edited = {**self.objects[note], "content": f"<p>{text}</p>", "updated": now_isoformat()}
        self.objects[note] = edited
        return await self.send(self.activity_factory.update(edited).as_public())

    async def delete(self, note):
        self.objects[note] = Object(type="Tombstone", id=note).build()
        return await self.send(self.activity_factory.delete(note).as_public())

    async def like(self, object):
        return await self.send(self.activity_factory.like(object, to={self.critic["id"]}))

    async def boost(self, object):
        return await self.send(self.activity_factory.announce(object).as_public())

    async def undo(self, activity):
        # Only the id, as bovine does.
        return await self.send(self.activity_factory.undo(self.activities[activity]))

    async def quote(self, article, text):
        note = self.object_factory.note(content=f"<p>{text}</p>").as_public().build()
        term = {"@id": "https://w3id.org/fep/044f#quote", "@type": "@id"}
        note = {**note, "@context": [note["@context"], {"quote": term}], "quote": article}
        self.objects[note["id"]] = note
        request = self.activity_factory.custom(type="QuoteRequest", object=article, to={self.critic["id"]}).build()
        type_term = {"QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest"}
        # Only the id of the note, so the recipient has to fetch it.
        request = {**request, "@context": [request["@context"], type_term], "instrument": note["id"]}
        return {**await self.send(request), "note": note["id"]}

    async def quote_authorization(self, id):
        authorization = await self.actor.get(id)
        if authorization["type"] != "QuoteAuthorization":
            raise ValueError(f"{id} is {authorization['type']}")
        return {key: authorization.get(key) for key in ("attributedTo", "interactingObject", "interactionTarget")}

    async def block(self):
        return await self.send(self.activity_factory.block(self.critic["id"]))

    async def delete_actor(self):
        delete = await self.send(self.activity_factory.delete(self.id, to={PUBLIC}))
        self.is_deleted = True
        return delete

    # Queries by the tests.

    async def act(self, request):
        params = await request.json()
        steps = (self.look_up, self.read, self.collection, self.nodeinfo, self.follow, self.reply, self.edit)
        steps += (self.delete, self.like, self.boost, self.undo, self.quote, self.quote_authorization, self.block)
        steps += (self.delete_actor,)
        step = {step.__name__: step for step in steps}[params.pop("step")]
        try:
            return web.json_response(await step(**params))
        except Exception:
            traceback.print_exc()
            return web.json_response({"error": traceback.format_exc()}, status=500)

    async def seen(self, _request):
        return web.json_response({"received": self.received, "rejected": self.rejected, "sent": self.sent})


async def listen(routes, tls=None):
    app = web.Application(client_max_size=MAX_BODY_SIZE)
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    return runner.addresses[0][1]


async def main():
    peer = Peer()
    await peer.start()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(os.environ["PEER_CERTIFICATE"], os.environ["PEER_KEY"])
    port = await listen([
        web.get("/.well-known/webfinger", peer.webfinger),
        web.get(f"/users/{USER}", peer.user),
        web.post(f"/users/{USER}/inbox", peer.inbox),
        web.get("/things/{id}", peer.object_document),
    ], tls)
    control = await listen([web.post("/", peer.act), web.get("/", peer.seen)])
    print(json.dumps({"port": port, "control": control}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
