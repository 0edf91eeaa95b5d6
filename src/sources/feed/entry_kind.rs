//! What an entry is, as far as its feed says: exports and backups of blogs hold drafts, comments, pages and settings beside
//! public posts. Each entry's own kind and status decide, since live feeds may declare the same namespaces. What is unknown
//! counts as private.

use url::Url;

use super::members::Members;
use crate::domain::feed_entry::ExcludedKind;

/// The scheme of the categories that give the kind of an entry in Google's feeds.
pub(super) const GOOGLE_KIND_SCHEME: &str = "http://schemas.google.com/g/2005#kind";

/// What an entry says about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct StatedKind {
    /// What it is, if it is not a public post.
    pub(super) excluded: Option<ExcludedKind>,
    /// Whether only an export or a backup says this.
    pub(super) is_exported: bool,
}

/// Whether the feed says that it is an export of WordPress (WXR) or a backup of Blogger.
pub(super) fn is_export(head: &Members) -> bool {
    let is_backup = |id: &str| id.starts_with("tag:blogger.com") && id.ends_with(".archive");
    head.has("wp:wxr_version") || head.text("id").is_some_and(is_backup)
}

/// Whether an entry has members that only an export of WordPress has.
pub(super) fn is_of_wordpress_export(entry: &Members) -> bool {
    entry.has("wp:status") || entry.has("wp:post_type")
}

/// Returns what an entry says about itself; `google_kind` is its category of the scheme [`GOOGLE_KIND_SCHEME`]. In an export
/// (`is_in_export`), an entry that says nothing is not public.
pub(super) fn stated_kind(members: &Members, google_kind: Option<&str>, is_in_export: bool) -> StatedKind {
    let is_draft = ["app:control/app:draft", "app:control/draft", "control/draft", "draft"]
        .into_iter()
        .filter_map(|path| members.text(path))
        .any(|text| !matches!(text.to_lowercase().as_str(), "no" | "false" | "0"));
    let (excluded, is_exported) = if is_of_wordpress_export(members) {
        (wordpress_kind(members), true)
    } else if members.has("blogger:type") || members.has("blogger:status") {
        (blogger_kind(members), true)
    } else if let Some(kind) = google_kind {
        let excluded = google_kind_name(kind);
        (excluded, matches!(excluded, Some(ExcludedKind::Page | ExcludedKind::Setting)))
    } else {
        (is_in_export.then_some(ExcludedKind::UnknownStatus), is_in_export)
    };
    let reply = members.has("thr:in-reply-to").then_some(ExcludedKind::Comment);
    let excluded = excluded.or(reply).or_else(|| is_draft.then_some(ExcludedKind::Draft));
    StatedKind { excluded, is_exported }
}

/// An item of a WordPress export.
fn wordpress_kind(members: &Members) -> Option<ExcludedKind> {
    match members.text("wp:post_type") {
        Some("post") => {}
        Some("page") => return Some(ExcludedKind::Page),
        Some("attachment") => return Some(ExcludedKind::Attachment),
        Some(kind) if kind.starts_with("wp_") || kind == "custom_css" => return Some(ExcludedKind::Setting),
        _ => return Some(ExcludedKind::Other),
    }
    let status = members.text("wp:status").unwrap_or_default();
    let is_protected = members.text("wp:post_password").is_some();
    status_kind(status).or_else(|| is_protected.then_some(ExcludedKind::Protected))
}

/// An entry of a Blogger blog from Google Takeout. A deleted post has a date of deletion.
fn blogger_kind(members: &Members) -> Option<ExcludedKind> {
    match members.text("blogger:type").unwrap_or_default() {
        "POST" => {}
        "PAGE" => return Some(ExcludedKind::Page),
        "COMMENT" => return Some(ExcludedKind::Comment),
        _ => return Some(ExcludedKind::Other),
    }
    if members.text("blogger:trashed").is_some() {
        return Some(ExcludedKind::Trashed);
    }
    status_kind(members.text("blogger:status").unwrap_or_default())
}

/// An entry of a Blogger backup before 2018, such as `http://schemas.google.com/blogger/2008/kind#post`.
fn google_kind_name(kind: &str) -> Option<ExcludedKind> {
    match kind.rsplit('#').next().unwrap_or_default() {
        "post" => None,
        "comment" => Some(ExcludedKind::Comment),
        "page" => Some(ExcludedKind::Page),
        "template" | "settings" => Some(ExcludedKind::Setting),
        _ => Some(ExcludedKind::Other),
    }
}

/// Returns what a post of that status is, if it is not public: the statuses of WordPress, Blogger and Ghost.
pub(super) fn status_kind(status: &str) -> Option<ExcludedKind> {
    match status.to_lowercase().as_str() {
        "publish" | "published" | "public" | "live" => None,
        "draft" | "auto-draft" | "pending" => Some(ExcludedKind::Draft),
        "future" | "scheduled" => Some(ExcludedKind::Scheduled),
        "private" => Some(ExcludedKind::Private),
        "trash" | "trashed" | "soft_trashed" => Some(ExcludedKind::Trashed),
        _ => Some(ExcludedKind::UnknownStatus),
    }
}

/// Whether a link leads to a comment on its page: feeds of comments look like any other.
pub(super) fn is_comment_link(link: &Url) -> bool {
    let fragment = link.fragment().unwrap_or_default();
    let number = fragment.strip_prefix("comment").map(|rest| rest.trim_start_matches('-'));
    // Blogger's comments have 18 digits.
    let number = number.or_else(|| fragment.strip_prefix('c').filter(|number| number.len() > 5));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(texts: &[(&'static str, &str)]) -> Members {
        let mut members = Members::default();
        for (path, text) in texts {
            members.add(path, &format!("<m>{text}</m>"));
        }
        members
    }

    #[test]
    fn a_post_is_public_only_if_its_type_and_status_say_so() {
        use ExcludedKind::*;
        for (kind, status, password, excluded) in [
            ("post", "publish", "", None),
            ("post", "publish", "sesame", Some(Protected)),
            ("post", "draft", "", Some(Draft)),
            ("post", "auto-draft", "", Some(Draft)),
            ("post", "pending", "", Some(Draft)),
            ("post", "future", "", Some(Scheduled)),
            ("post", "private", "", Some(Private)),
            ("post", "trash", "", Some(Trashed)),
            ("post", "inherit", "", Some(UnknownStatus)),
            ("post", "embargoed", "", Some(UnknownStatus)),
            ("post", "", "", Some(UnknownStatus)),
            ("page", "publish", "", Some(Page)),
            ("attachment", "inherit", "", Some(Attachment)),
            ("nav_menu_item", "publish", "", Some(Other)),
            ("revision", "inherit", "", Some(Other)),
            ("wp_global_styles", "publish", "", Some(Setting)),
            ("", "publish", "", Some(Other)),
        ] {
            let members =
                members(&[("wp:post_type", kind), ("wp:status", status), ("wp:post_password", password)]);
            let stated = StatedKind { excluded, is_exported: true };
            assert_eq!(stated_kind(&members, None, false), stated, "{kind} {status} {password}");
        }
    }

    #[test]
    fn an_entry_of_takeout_is_public_only_if_its_type_and_status_say_so() {
        use ExcludedKind::*;
        for (kind, status, trashed, excluded) in [
            ("POST", "LIVE", "", None),
            ("POST", "LIVE", "2020-01-01T00:00:00Z", Some(Trashed)),
            ("POST", "DRAFT", "", Some(Draft)),
            ("POST", "SCHEDULED", "", Some(Scheduled)),
            ("POST", "SOFT_TRASHED", "", Some(Trashed)),
            ("POST", "", "", Some(UnknownStatus)),
            ("POST", "GHOST", "", Some(UnknownStatus)),
            ("PAGE", "LIVE", "", Some(Page)),
            ("COMMENT", "LIVE", "", Some(Comment)),
            ("WIDGET", "LIVE", "", Some(Other)),
        ] {
            let members =
                members(&[("blogger:type", kind), ("blogger:status", status), ("blogger:trashed", trashed)]);
            let stated = StatedKind { excluded, is_exported: true };
            assert_eq!(stated_kind(&members, None, false), stated, "{kind} {status} {trashed}");
        }
    }

    #[test]
    fn other_feeds_mark_drafts_and_comments() {
        use ExcludedKind::*;
        for (path, text, excluded) in [
            ("app:control/app:draft", "yes", Some(Draft)),
            ("app:control/app:draft", "no", None),
            ("app:control/app:draft", "perhaps", Some(Draft)),
            ("control/draft", "yes", Some(Draft)),
            ("control/draft", "no", None),
            ("app:control/draft", "yes", Some(Draft)),
            ("draft", "true", Some(Draft)),
            ("draft", "false", None),
            ("thr:in-reply-to", "", Some(Comment)),
            ("dc:creator", "Odette", None),
        ] {
            assert_eq!(
                stated_kind(&members(&[(path, text)]), None, false).excluded,
                excluded,
                "{path} {text}"
            );
        }
        for (name, excluded) in
            [("post", None), ("comment", Some(Comment)), ("settings", Some(Setting)), ("new", Some(Other))]
        {
            let kind = format!("http://schemas.google.com/blogger/2008/kind#{name}");
            assert_eq!(stated_kind(&Members::default(), Some(&kind), true).excluded, excluded, "{name}");
        }
    }

    #[test]
    fn what_says_nothing_about_itself_is_not_public_in_an_export() {
        let nothing = Members::default();
        let private = StatedKind { excluded: Some(ExcludedKind::UnknownStatus), is_exported: true };
        assert_eq!(stated_kind(&nothing, None, true), private);
        assert_eq!(stated_kind(&nothing, None, false), StatedKind::default());
        let item =
            |members: &str| format!("<item><title>A</title><description>Salt</description>{members}</item>");
        let post = item("<wp:post_type>post</wp:post_type><wp:status>publish</wp:status>");
        let head = "<wp:wxr_version>1.2</wp:wxr_version>";
        let of_type = item("<wp:post_type>post</wp:post_type>");
        let of_status = item("<wp:status>publish</wp:status>");
        for (head, items, read, excluded) in [
            (head, [&item(""), &post], 1, 1),
            (head, [&item(""), &item("")], 0, 2),
            ("", [&item(""), &post], 1, 1),
            ("", [&post, &item("")], 1, 1),
            (head, [&of_type, &of_status], 0, 2),
            ("", [&item(""), &item("")], 2, 0),
        ] {
            let items: String = items.map(String::as_str).concat();
            let document = super::super::tests::read(&format!(
                "<rss version='2.0' xmlns:wp='http://wordpress.org/export/1.2/'><channel>{head}{items}</channel></rss>"
            ));
            let count = (document.entries.len(), document.excluded.len());
            assert_eq!(count, (read, excluded), "{head}{items}");
        }
    }

    #[test]
    fn a_link_to_a_comment_is_recognized() {
        for (link, is_comment) in [
            ("https://crit.example/a/#comment-17", true),
            ("https://crit.example/a/comment-page-2/#comment-17", true),
            ("https://blog.example/2008/03/p.html?showComment=1205295300000#c4629184402816120001", true),
            ("https://crit.example/a/#comments", false),
            ("https://crit.example/a/#c3", false),
            ("https://crit.example/a/comment-17", false),
            ("https://crit.example/a/", false),
        ] {
            assert_eq!(is_comment_link(&link.parse().unwrap()), is_comment, "{link}");
        }
    }
}
