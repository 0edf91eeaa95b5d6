//! Microdata (HTML section 5) of a body, as the objects that JSON-LD would have.

use serde_json::{Map, Value};

use crate::domain::html_escape::unescape;

/// The maximum number of items and of elements that are read.
const MAX_ITEMS: usize = 50;
const MAX_ELEMENTS: usize = 20_000;
/// The maximum number of elements that are open at a time.
const MAX_DEPTH: usize = 100;
/// The maximum length of a value in bytes.
const MAX_VALUE_BYTES: usize = 2_000;
/// Elements without an end tag.
const VOID: [&str; 8] = ["meta", "link", "img", "br", "hr", "input", "source", "wbr"];

/// An element that is open.
struct OpenElement<'a> {
    name: &'a str,
    /// The property that the element is.
    property: Option<String>,
    /// The value that an attribute gives, instead of the text.
    value: Option<String>,
    /// The item that the element describes.
    item: Option<Map<String, Value>>,
    /// Where its text begins.
    text_start: usize,
}

/// Returns the items at the top of a body.
pub(super) fn read_items(html: &str) -> Vec<Value> {
    if !html.contains("itemscope") {
        return Vec::new();
    }
    let mut reader = Reader { open: Vec::new(), text: String::new(), items: Vec::new() };
    for part in html.split('<').skip(1).take(MAX_ELEMENTS) {
        let end = tag_end(part);
        let (tag, text) = part.split_at(end);
        if let Some(name) = tag.strip_prefix('/') {
            reader.end(name.trim());
        } else if tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
            reader.start(tag);
        }
        reader.text.push_str(text.strip_prefix('>').unwrap_or(text));
    }
    while let Some(name) = reader.open.last().map(|element| element.name) {
        reader.end(name);
    }
    reader.items
}

/// Returns where a tag ends. Quoted values may contain `>`.
fn tag_end(part: &str) -> usize {
    let mut quote = None;
    for (at, c) in part.char_indices() {
        match c {
            '"' | '\'' if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() && part.get(..at).is_some_and(|before| before.ends_with('=')) => {
                quote = Some(c);
            }
            '>' if quote.is_none() => return at,
            _ => {}
        }
    }
    part.find('>').unwrap_or(part.len())
}

struct Reader<'a> {
    open: Vec<OpenElement<'a>>,
    text: String,
    items: Vec<Value>,
}

impl<'a> Reader<'a> {
    fn start(&mut self, tag: &'a str) {
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        let attribute = |wanted: &str| attribute(tag, wanted);
        let item = attribute("itemscope").map(|_| {
            let kind = attribute("itemtype").unwrap_or_default();
            let kind = kind.rsplit(['/', '#']).next().unwrap_or_default().to_owned();
            Map::from_iter([("@type".to_owned(), Value::String(kind))])
        });
        let value = match name {
            "a" | "link" | "area" => attribute("href"),
            "img" | "iframe" | "source" => attribute("src"),
            "time" => attribute("datetime"),
            _ => None,
        };
        let element = OpenElement {
            name,
            property: attribute("itemprop"),
            value: attribute("content").or(value),
            item: item.filter(|_| self.items.len() < MAX_ITEMS),
            text_start: self.text.len(),
        };
        if VOID.iter().any(|void| name.eq_ignore_ascii_case(void)) {
            self.close(element);
        } else if self.open.len() < MAX_DEPTH {
            self.open.push(element);
        }
    }

    fn end(&mut self, name: &str) {
        if !self.open.iter().any(|element| element.name.eq_ignore_ascii_case(name)) {
            return;
        }
        while let Some(element) = self.open.pop() {
            let is_last = element.name.eq_ignore_ascii_case(name);
            self.close(element);
            if is_last {
                return;
            }
        }
    }

    /// Adds what an element says to the item that it is in.
    fn close(&mut self, element: OpenElement<'_>) {
        let OpenElement { name, property, value, item, text_start } = element;
        let parent = self.open.iter_mut().rev().find_map(|open| open.item.as_mut());
        let (Some(property), Some(parent)) = (property, parent) else {
            self.items.extend(item.map(Value::Object));
            return;
        };
        let text = self.text.get(text_start..).unwrap_or_default();
        let text = text.get(..text.floor_char_boundary(MAX_VALUE_BYTES)).unwrap_or_default();
        let text = unescape(text).split_whitespace().collect::<Vec<_>>().join(" ");
        for property in property.split_whitespace() {
            // What a link is about is its text, unless the property is an address.
            let is_address = matches!(property, "sameAs" | "url" | "image");
            add(
                parent,
                property,
                match (&item, &value) {
                    (Some(item), _) => Value::Object(item.clone()),
                    (None, Some(value)) if name != "a" || is_address => Value::String(value.clone()),
                    (None, _) => Value::String(text.clone()),
                },
            );
        }
    }
}

/// Adds a value to a property, which may have several.
fn add(item: &mut Map<String, Value>, name: &str, value: Value) {
    match item.get_mut(name) {
        None => {
            item.insert(name.to_owned(), value);
        }
        Some(Value::Array(values)) if values.len() < MAX_ITEMS => values.push(value),
        Some(Value::Array(_)) => {}
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

/// Returns the value of an attribute, which is empty if it has none.
fn attribute(tag: &str, wanted: &str) -> Option<String> {
    let mut rest = tag;
    while let Some(at) = rest.find(wanted) {
        let (before, from) = rest.split_at(at);
        let after = from.get(wanted.len()..)?;
        rest = after;
        if !before.ends_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')) {
            continue;
        }
        let Some(value) = after.trim_start().strip_prefix('=') else {
            if after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || c == '/') {
                return Some(String::new());
            }
            continue;
        };
        let value = value.trim_start();
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.get(1..)?.split(quote).next()?,
            _ => value.split_whitespace().next().unwrap_or_default(),
        };
        return Some(unescape(value).into_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_read_with_their_properties() {
        let html = "<p>Hi</p><div itemscope itemtype='https://schema.org/Review'>\
            <div itemprop=itemReviewed itemscope itemtype=\"http://schema.org/Movie\"><a href='/x' itemprop='name url'>Salt &amp; <b>Oars</b></a>\
            <span itemprop=director itemscope itemtype=http://schema.org/Person><span itemprop=name>Ada Roos</span></span>\
            <span itemprop=director>Ben Okoro</span><link itemprop=sameAs href='https://www.imdb.com/title/tt1/'></div>\
            <meta itemprop=\"datePublished\" content=\"2020-01-02\"><p>An <em itemprop=x>odd > one</em></div>";
        let film = json!({"@type": "Movie", "name": "Salt & Oars", "url": "/x", "sameAs": "https://www.imdb.com/title/tt1/",
            "director": [{"@type": "Person", "name": "Ada Roos"}, "Ben Okoro"]});
        assert_eq!(
            read_items(html),
            [
                json!({"@type": "Review", "itemReviewed": film, "datePublished": "2020-01-02", "x": "odd > one"})
            ]
        );
        assert_eq!(read_items("<p itemprop=name>A</p>"), Vec::<Value>::new());
    }

    proptest! {
        #[test]
        fn no_markup_causes_a_panic(parts in proptest::collection::vec(prop_oneof![
            Just("<div itemscope"), Just(" itemprop="), Just("\""), Just("name"), Just(">"), Just("é"), Just("</div>"), Just("<meta"), Just(" content='"), Just("<"), Just("/"),
        ], 0..30)) {
            read_items(&parts.concat());
        }
    }
}
