//! The documents of our actors: a `Person` for each critic, and the instance actor.

use serde_json::{Map, Value, json};
use url::Url;

use super::convert_text::{escape_html, html_paragraphs};
use super::{AS_CONTEXT, with_context};
use crate::domain::critic::{Critic, ProfileLink};
use crate::domain::origin::Origin;
use crate::federation::published_keys::PublishedKeys;

/// Returns the actor document of a critic (ActivityPub section 4.1). `handle_domain` is the domain of the
/// handle if it differs from the site's host; `webfinger` announces it (FEP-2c59). `approves` is whether the
/// critic approves followers manually.
pub fn person(
    origin: &Origin,
    critic: &Critic,
    keys: &PublishedKeys,
    handle_domain: Option<&str>,
    approves: bool,
) -> Value {
    let profile = &critic.profile;
    let handle_domain = handle_domain.filter(|domain| *domain != origin.authority());
    let id = origin.actor(critic.id);
    let part = |name: &str| origin.actor_endpoint(critic.id, name);
    let mut person = json!({
        "id": id,
        "type": "Person",
        "preferredUsername": profile.handle,
        "name": profile.name,
        "summary": html_paragraphs(&profile.summary),
        "url": origin.profile_page(&profile.handle),
        "published": critic.created_at.to_string(),
        "inbox": part("inbox"),
        "outbox": part("outbox"),
        "followers": part("followers"),
        "following": part("following"),
        "featured": part("featured"),
        "endpoints": {"sharedInbox": origin.shared_inbox()},
        "manuallyApprovesFollowers": approves,
        "discoverable": true,
        "indexable": true,
        "attributionDomains": attribution_domains(origin, critic, handle_domain),
        "attachment": profile.links.iter().map(attachment).collect::<Vec<_>>(),
    });
    show_keys(&mut person, &id, keys);
    if let Some((name, media_type)) = &critic.avatar {
        person["icon"] =
            json!({"type": "Image", "mediaType": media_type, "url": origin.media_url_by_name(name)});
    }
    if !profile.also_known_as.is_empty() {
        person["alsoKnownAs"] = json!(profile.also_known_as);
    }
    if let Some(target) = &critic.moved_to {
        person["movedTo"] = json!(target);
    }
    if let Some(domain) = handle_domain {
        person["webfinger"] = json!(format!("{}@{domain}", profile.handle));
    }
    with_context(context(&person), person)
}

/// Returns the document of the instance actor, which signs our GET requests for servers that require it. Its
/// type is `Application`, as on Mastodon.
pub fn instance_actor(origin: &Origin, keys: &PublishedKeys) -> Value {
    let id = origin.instance_actor();
    let mut instance = json!({
        "id": id,
        "type": "Application",
        "preferredUsername": origin.host(),
        "name": origin.host(),
        "url": origin.home_page(),
        "inbox": origin.shared_inbox(),
        "endpoints": {"sharedInbox": origin.shared_inbox()},
        "manuallyApprovesFollowers": true,
    });
    show_keys(&mut instance, &id, keys);
    let mut terms = Map::new();
    terms.insert("manuallyApprovesFollowers".to_owned(), json!("as:manuallyApprovesFollowers"));
    define_multikeys(&mut terms);
    with_context(json!([AS_CONTEXT, "https://w3id.org/security/v1", terms]), instance)
}

/// Adds the main key as `publicKey`, and all active keys as Multikeys (FEP-521a). A key has the same id in both.
fn show_keys(actor: &mut Value, id: &Url, keys: &PublishedKeys) {
    actor["publicKey"] = json!({"id": keys.id, "owner": id, "publicKeyPem": keys.pem});
    let multikey = |(key, text): &(Url, String)| json!({"id": key, "type": "Multikey", "controller": id, "publicKeyMultibase": text});
    actor["assertionMethod"] = keys.multikeys.iter().map(multikey).collect();
}

/// Defines the terms of Multikeys inline, so that JSON-LD processors need not fetch another context.
fn define_multikeys(terms: &mut Map<String, Value>) {
    let Value::Object(more) = json!({
        "assertionMethod": {
            "@id": "https://w3id.org/security#assertionMethod", "@type": "@id", "@container": "@set",
        },
        "Multikey": "https://w3id.org/security#Multikey",
        "controller": {"@id": "https://w3id.org/security#controller", "@type": "@id"},
        "publicKeyMultibase": {
            "@id": "https://w3id.org/security#publicKeyMultibase", "@type": "https://w3id.org/security#multibase",
        },
    }) else {
        return;
    };
    terms.extend(more);
}

/// Returns the context of the terms that the person uses.
fn context(person: &Value) -> Value {
    let Value::Object(mut terms) = json!({
        "toot": "http://joinmastodon.org/ns#",
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "attributionDomains": {"@id": "toot:attributionDomains", "@container": "@set"},
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    }) else {
        return Value::Object(Map::new());
    };
    let mut define = |term: &str, meaning: Value| {
        if person.get(term).is_some() {
            terms.insert(term.to_owned(), meaning);
        }
    };
    define("alsoKnownAs", json!({"@id": "as:alsoKnownAs", "@type": "@id"}));
    define("movedTo", json!({"@id": "as:movedTo", "@type": "@id"}));
    define("webfinger", json!("https://purl.archive.org/socialweb/webfinger#webfinger"));
    define_multikeys(&mut terms);
    json!([AS_CONTEXT, "https://w3id.org/security/v1", terms])
}

/// Returns the domains whose pages may name the critic as their author (Mastodon), each once.
fn attribution_domains<'a>(
    origin: &'a Origin,
    critic: &'a Critic,
    handle_domain: Option<&'a str>,
) -> Vec<&'a str> {
    let more = critic.profile.attribution_domains.iter().map(String::as_str);
    let mut domains = Vec::new();
    for domain in std::iter::once(origin.host()).chain(handle_domain).chain(more) {
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    domains
}

/// Returns a link as a profile field. `rel="me"` lets servers verify that the target belongs to the critic.
fn attachment(link: &ProfileLink) -> Value {
    let url = link.url.as_str();
    let label = url.split_once("://").map_or(url, |(_, rest)| rest);
    let label = label.strip_suffix('/').unwrap_or(label);
    let value = format!("<a href=\"{}\" rel=\"me\">{}</a>", escape_html(url), escape_html(label));
    json!({"type": "PropertyValue", "name": link.name, "value": value})
}

#[cfg(test)]
mod tests {
    use super::super::samples::{CRITIC, critic, origin};
    use super::*;

    fn keys(actor: &str) -> PublishedKeys {
        let id: Url = format!("{actor}#main-key").parse().unwrap();
        PublishedKeys { id: id.clone(), pem: "PEM".to_owned(), multikeys: vec![(id, "zKEY".to_owned())] }
    }

    #[test]
    fn a_critic_is_a_person_that_mastodon_accepts() {
        let id = format!("https://crit.example/ap/actor/{CRITIC}");
        let mut expected = json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1", {
                "toot": "http://joinmastodon.org/ns#",
                "discoverable": "toot:discoverable",
                "indexable": "toot:indexable",
                "featured": {"@id": "toot:featured", "@type": "@id"},
                "attributionDomains": {"@id": "toot:attributionDomains", "@container": "@set"},
                "schema": "http://schema.org#",
                "PropertyValue": "schema:PropertyValue",
                "value": "schema:value",
                "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
            }],
            "id": id,
            "type": "Person",
            "preferredUsername": "ada",
            "name": "Ada <Critic>",
            "summary": "<p>Films &amp; more.</p><p>Since 1999.</p>",
            "url": "https://crit.example/@ada",
            "published": "2026-01-01T00:00:00Z",
            "inbox": format!("{id}/inbox"),
            "outbox": format!("{id}/outbox"),
            "followers": format!("{id}/followers"),
            "following": format!("{id}/following"),
            "featured": format!("{id}/featured"),
            "endpoints": {"sharedInbox": "https://crit.example/ap/inbox"},
            "manuallyApprovesFollowers": false,
            "discoverable": true,
            "indexable": true,
            "attributionDomains": ["crit.example"],
            "icon": {
                "type": "Image",
                "mediaType": "image/png",
                "url": "https://crit.example/media/face.png",
            },
            "attachment": [{
                "type": "PropertyValue",
                "name": "Old \"blog\"",
                "value": "<a href=\"https://old.example/films/\" rel=\"me\">old.example/films</a>",
            }],
            "publicKey": {"id": format!("{id}#main-key"), "owner": id, "publicKeyPem": "PEM"},
            "assertionMethod": [{
                "id": format!("{id}#main-key"),
                "type": "Multikey",
                "controller": id,
                "publicKeyMultibase": "zKEY",
            }],
        });
        define_multikeys(expected["@context"][2].as_object_mut().unwrap());
        assert_eq!(person(&origin(), &critic(), &keys(&id), None, false), expected);
    }

    #[test]
    fn a_handle_on_another_domain_and_earlier_accounts_are_published() {
        let mut moved = critic();
        moved.profile.also_known_as = vec!["https://m.example/users/ada".parse().unwrap()];
        moved.profile.attribution_domains = vec!["old.example".to_owned(), "crit.example".to_owned()];
        let person = person(&origin(), &moved, &keys("https://crit.example/a"), Some("ada.example"), true);
        assert_eq!(person["manuallyApprovesFollowers"], true);
        assert_eq!(person["webfinger"], "ada@ada.example");
        assert_eq!(person["alsoKnownAs"], json!(["https://m.example/users/ada"]));
        assert_eq!(person["attributionDomains"], json!(["crit.example", "ada.example", "old.example"]));
        assert_eq!(person["@context"][2]["alsoKnownAs"]["@id"], "as:alsoKnownAs");
        assert!(person["@context"][2]["webfinger"].is_string());
    }

    #[test]
    fn the_site_has_an_instance_actor() {
        let instance = instance_actor(&origin(), &keys("https://crit.example/ap/actor"));
        assert_eq!(instance["type"], "Application");
        assert_eq!(instance["preferredUsername"], "crit.example");
        assert_eq!(instance["inbox"], "https://crit.example/ap/inbox");
        assert_eq!(instance["publicKey"]["owner"], instance["id"]);
        assert_eq!(instance["publicKey"]["id"], "https://crit.example/ap/actor#main-key");
        assert_eq!(instance["assertionMethod"][0]["controller"], instance["id"]);
        assert_eq!(instance["@context"][2]["Multikey"], "https://w3id.org/security#Multikey");
    }
}
