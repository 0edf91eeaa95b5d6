"""Reads the feeds, the sitemap and the microformats of the site with other parsers: feedparser and mf2py."""

import collections
import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from pathlib import Path

import feedparser
import mf2py

SITE = json.loads(os.environ["SITE"])
FOLDER = Path(SITE["folder"]) / "documents"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"

faults = collections.defaultdict(list)
counts = collections.Counter()


def check(truth, fault, location):
    """Records a fault if something is false."""
    if not truth:
        faults[fault].append(location)


def is_own(address):
    return isinstance(address, str) and address.startswith(SITE["origin"] + "/")


def is_review(path):
    return re.fullmatch(r"/reviews/[^/?]+", path) is not None


def is_moment(text):
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False


def read_feed(path, body, media_type):
    """Reads RSS and Atom with feedparser."""
    feed = feedparser.parse(body, response_headers={"content-type": media_type})
    check(not feed.bozo, f"not well-formed: {feed.get('bozo_exception')}", path)
    version = "atom10" if path.endswith("atom.xml") else "rss20"
    check(feed.version == version, f"read as {feed.version}, not {version}", path)
    for key in ("title", "link", "language") if version == "rss20" else ("title", "link", "id", "updated_parsed"):
        check(feed.feed.get(key), f"a feed without {key}", path)
    selves = [link.href for link in feed.feed.get("links", []) if link.rel == "self"]
    check(selves == [SITE["origin"] + path], f"its own link is {selves}", path)
    check(feed.entries, "an empty feed", path)
    ids = [entry.get("id") for entry in feed.entries]
    check(len(set(ids)) == len(ids), "two entries with the same id", path)
    for entry in feed.entries:
        counts["entries"] += 1
        for key in ("id", "title", "link", "published_parsed", "summary", "author"):
            check(entry.get(key), f"an entry without {key}", path)
        check(is_own(entry.get("link")), f"an entry with the link {entry.get('link')}", path)
        content = entry.get("content", [{}])[0]
        check(content.get("type") == "text/html", f"content of type {content.get('type')}", path)
        check("<p" in content.get("value", ""), "content without a paragraph", path)
    dates = [entry.published_parsed for entry in feed.entries if entry.get("published_parsed")]
    check(dates == sorted(dates, reverse=True), "not sorted by date, newest first", path)


def read_json_feed(path, body):
    """Checks the requirements of JSON Feed 1.1 (jsonfeed.org/version/1.1)."""
    feed = json.loads(body)
    check(feed.get("version") == "https://jsonfeed.org/version/1.1", "the wrong version", path)
    check(isinstance(feed.get("title"), str) and feed["title"], "a feed without a title", path)
    check(feed.get("feed_url") == SITE["origin"] + path, f"its feed_url is {feed.get('feed_url')}", path)
    check(is_own(feed.get("home_page_url")), "a feed without a home page", path)
    check(isinstance(feed.get("items"), list) and feed["items"], "an empty feed", path)
    for item in feed.get("items", []):
        counts["entries"] += 1
        check(isinstance(item.get("id"), str) and item["id"], "an item without an id", path)
        check(is_own(item.get("url")), f"an item with the URL {item.get('url')}", path)
        check(item.get("content_html") or item.get("content_text"), "an item without content", path)
        for key in ("date_published", "date_modified"):
            check(key not in item or is_moment(item[key]), f"{key} is not a timestamp: {item.get(key)}", path)
        for author in item.get("authors", []):
            check(author.get("name") or author.get("url"), "an author without a name", path)
        check(all(isinstance(tag, str) for tag in item.get("tags", [])), "a tag that is not a string", path)


def read_sitemap(path, body, documents):
    """Reads the sitemap index and its parts, which must list everything."""
    root = ElementTree.fromstring(body)
    check(root.tag == SITEMAP + "sitemapindex", f"its root is {root.tag}", path)
    parts = [part.findtext(SITEMAP + "loc") for part in root]
    check(len(set(parts)) == len(parts), "a duplicate URL", path)
    bodies = {document["path"]: document["file"] for document in documents}
    locations = []
    for part in parts:
        check(is_own(part) and part.removeprefix(SITE["origin"]) in bodies, f"contains an unknown part {part}", path)
        file = bodies.get(part.removeprefix(SITE["origin"]))
        locations += read_part(part, (FOLDER / file).read_bytes()) if file else []
    check(len(set(locations)) == len(locations), "a duplicate URL", path)
    for location in locations:
        check(is_own(location) and location.removeprefix(SITE["origin"]) in bodies, f"contains an unknown page {location}", path)
    reviews = {document["path"] for document in documents if is_review(document["path"])}
    check(reviews <= {location.removeprefix(SITE["origin"]) for location in locations}, "a review is missing", path)


def read_part(path, body):
    root = ElementTree.fromstring(body)
    check(root.tag == SITEMAP + "urlset", f"its root is {root.tag}", path)
    check(0 < len(root) <= 50000, f"contains {len(root)} pages", path)
    for changed in root.iter(SITEMAP + "lastmod"):
        check(is_moment(changed.text) or len(changed.text) == 10, f"changed at {changed.text}", path)
    return [location.findtext(SITEMAP + "loc") for location in root]


def first(entry, key):
    value = entry["properties"].get(key, [None])[0]
    return value.get("value") if isinstance(value, dict) else value


def read_review(path, body):
    """Reads a review as an h-entry."""
    items = mf2py.parse(doc=body.decode(), url=SITE["origin"] + path)["items"]
    entries = [item for item in items if "h-entry" in item["type"]]
    check(len(entries) == 1, f"{len(entries)} entries on the page of a review", path)
    for entry in entries:
        counts["reviews"] += 1
        for key in ("name", "url", "published", "author", "content"):
            check(first(entry, key), f"a review without {key}", path)
        check(first(entry, "url") == SITE["origin"] + path or is_own(first(entry, "url")), "no URL", path)
        check(is_moment(first(entry, "published")), f"published at {first(entry, 'published')}", path)
    cites = [item for item in items if "h-cite" in item["type"]]
    for cite in cites:
        counts["comments"] += 1
        for key in ("author", "published", "content", "url"):
            check(first(cite, key), f"a comment without {key}", path)


def main():
    documents = json.loads((FOLDER / "index.json").read_text())
    for document in documents:
        path, body = document["path"], (FOLDER / document["file"]).read_bytes()
        if path.endswith(("/feed.xml", "/atom.xml")):
            read_feed(path, body, document["type"])
        elif path.endswith("/feed.json"):
            read_json_feed(path, body)
        elif path == "/sitemap.xml":
            read_sitemap(path, body, documents)
        elif is_review(path):
            read_review(path, body)
    for fault, locations in faults.items():
        print(f"{fault}\n    at {locations[0]}, and {len(locations) - 1} more")
    print(json.dumps(counts))
    sys.exit(1 if faults else 0)


main()
