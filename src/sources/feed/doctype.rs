//! The document type declarations that a feed may have. Old feeds refer to a DTD, or include one of the entities of HTML;
//! neither is ever fetched. A declaration of other entities could be a "billion laughs", so it is rejected.

use super::FeedError;

/// Checks a declaration, without `<!DOCTYPE` and `>`.
pub(super) fn check_doctype(declaration: &str) -> Result<(), FeedError> {
    if declaration.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("html")) {
        return Err(FeedError::Html);
    }
    match declaration.split_once('[') {
        Some((_, subset)) if !is_harmless(subset.trim_end().trim_end_matches(']')) => Err(FeedError::Dtd),
        _ => Ok(()),
    }
}

/// Whether an internal subset has only parameter entities and comments. Parameter entities mean something only within the
/// declaration, which is not read.
fn is_harmless(subset: &str) -> bool {
    let mut rest = subset.trim_start();
    while !rest.is_empty() {
        let after = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.split_once("-->").map(|(_, rest)| rest)
        } else if let Some(entity) = rest.strip_prefix("<!ENTITY") {
            entity.trim_start().strip_prefix('%').and_then(after_declaration)
        } else {
            // `%HTMLlat1;`
            rest.strip_prefix('%').and_then(|name| name.split_once(';')).map(|(_, rest)| rest)
        };
        match after {
            Some(after) => rest = after.trim_start(),
            None => return false,
        }
    }
    true
}

/// Returns what follows the end of a declaration, which may have quoted values.
fn after_declaration(declaration: &str) -> Option<&str> {
    let mut quote = None;
    let end = declaration.find(|c| {
        match quote {
            Some(open) if open == c => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        quote.is_none() && c == '>'
    })?;
    declaration.get(end + 1..)
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse_as;
    use super::*;

    #[test]
    fn a_subset_may_include_the_entities_of_html() {
        let latin = "<!ENTITY % HTMLlat1 PUBLIC \"-//W3C//ENTITIES Latin 1 for XHTML//EN\" \
            \"http://www.w3.org/TR/xhtml1/DTD/xhtml-lat1.ent\">";
        for (subset, error) in [
            (latin.to_owned(), None),
            (format!("{latin}\n  %HTMLlat1;"), None),
            (format!("\n<!-- <!ENTITY a 'b'> -->{latin}%HTMLlat1;\n"), None),
            ("<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;".to_owned(), None),
            ("<!ENTITY % x '<!ENTITY y \"ha\">'>%x;".to_owned(), None),
            (String::new(), None),
            ("<!ENTITY a 'ha'>".to_owned(), Some(FeedError::Dtd)),
            (format!("{latin}<!ENTITY a '&b;&b;'>"), Some(FeedError::Dtd)),
            ("<!ENTITY x SYSTEM 'file:///etc/passwd'>".to_owned(), Some(FeedError::Dtd)),
            ("<!ELEMENT rss ANY>".to_owned(), Some(FeedError::Dtd)),
        ] {
            let text = format!(
                "<?xml version='1.0'?><!DOCTYPE rss [{subset}]><rss version='2.0'><channel>\
                 <item><title>Salt &y; &x;</title></item></channel></rss>"
            );
            let titles = parse_as(text.as_bytes(), None).map(|document| {
                document.entries.into_iter().map(|entry| entry.content.title).collect::<Vec<_>>()
            });
            let expected = error.map_or_else(|| Ok(vec!["Salt &y; &x;".to_owned()]), Err);
            assert_eq!(titles, expected, "{subset}");
        }
    }
}
