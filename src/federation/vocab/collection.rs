//! The documents of our collections and their pages (ActivityStreams section 5).

use serde_json::{Value, json};
use url::Url;

use super::{AS_CONTEXT, with_context};

/// Whether the items of a collection are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionOrder {
    /// `OrderedCollection`: outbox, followers, featured, context.
    Ordered,
    /// `Collection`: replies, likes, shares.
    Unordered,
}

impl CollectionOrder {
    const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Ordered => ("OrderedCollection", "OrderedCollectionPage", "orderedItems"),
            Self::Unordered => ("Collection", "CollectionPage", "items"),
        }
    }
}

/// Returns a collection that is read page by page, starting at `?page=1`.
pub fn paged(order: CollectionOrder, id: &Url, total: u64) -> Value {
    let (kind, _, _) = order.names();
    document(json!({"id": id, "type": kind, "totalItems": total, "first": page_id(id, 1)}))
}

/// Returns a page of a collection, numbered from 1. Each item is an id or an object.
pub fn page(order: CollectionOrder, id: &Url, number: u32, items: &[Value], has_next: bool) -> Value {
    let (_, kind, member) = order.names();
    let mut page = json!({"id": page_id(id, number), "type": kind, "partOf": id, member: items});
    if has_next {
        page["next"] = json!(page_id(id, number.saturating_add(1)));
    }
    if number > 1 {
        page["prev"] = json!(page_id(id, number - 1));
    }
    document(page)
}

/// Returns a collection that contains all its items.
pub fn complete(order: CollectionOrder, id: &Url, items: &[Value]) -> Value {
    let (kind, _, member) = order.names();
    document(json!({"id": id, "type": kind, "totalItems": items.len(), member: items}))
}

/// Returns a collection that reveals only its size. Without `first`, Mastodon shows it as hidden.
pub fn count_only(order: CollectionOrder, id: &Url, total: u64) -> Value {
    let (kind, _, _) = order.names();
    document(json!({"id": id, "type": kind, "totalItems": total}))
}

/// Converts ids to items.
pub fn id_items(ids: impl IntoIterator<Item = Url>) -> Vec<Value> {
    ids.into_iter().map(|id| Value::String(id.into())).collect()
}

fn page_id(id: &Url, number: u32) -> String {
    format!("{id}?page={number}")
}

fn document(collection: Value) -> Value {
    with_context(json!(AS_CONTEXT), collection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(part: &str) -> Url {
        format!("https://crit.example/ap/article/01J/{part}").parse().unwrap()
    }

    #[test]
    fn replies_are_a_collection_with_pages() {
        let items = id_items(["https://m.example/users/117/statuses/1".parse().unwrap()]);
        assert_eq!(
            page(CollectionOrder::Unordered, &id("replies"), 1, &items, true),
            json!({
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": "https://crit.example/ap/article/01J/replies?page=1",
                "type": "CollectionPage",
                "partOf": "https://crit.example/ap/article/01J/replies",
                "items": ["https://m.example/users/117/statuses/1"],
                "next": "https://crit.example/ap/article/01J/replies?page=2",
            })
        );
        assert_eq!(
            paged(CollectionOrder::Unordered, &id("replies"), 1),
            json!({
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": "https://crit.example/ap/article/01J/replies",
                "type": "Collection",
                "totalItems": 1,
                "first": "https://crit.example/ap/article/01J/replies?page=1",
            })
        );
    }

    #[test]
    fn a_last_page_has_no_next() {
        let last = page(CollectionOrder::Ordered, &id("context"), 2, &[], false);
        assert_eq!(last["type"], "OrderedCollectionPage");
        assert_eq!(last["orderedItems"], json!([]));
        assert_eq!(last["prev"], "https://crit.example/ap/article/01J/context?page=1");
        assert!(last.get("next").is_none());
    }

    #[test]
    fn featured_lists_ids_and_a_hidden_collection_only_its_size() {
        let featured = complete(CollectionOrder::Ordered, &id("featured"), &id_items([id("x")]));
        assert_eq!(featured["orderedItems"], json!(["https://crit.example/ap/article/01J/x"]));
        assert_eq!(featured["totalItems"], 1);
        assert_eq!(
            count_only(CollectionOrder::Ordered, &id("followers"), 7),
            json!({
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": "https://crit.example/ap/article/01J/followers",
                "type": "OrderedCollection",
                "totalItems": 7,
            })
        );
    }
}
