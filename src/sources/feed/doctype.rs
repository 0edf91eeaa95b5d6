//! The document type declarations that a feed may have. Old feeds refer to a DTD, which is never fetched. A declaration
//! with a subset of its own could declare entities (external ones, or a "billion laughs"), so it is rejected.

use super::FeedError;

/// Checks a declaration, without `<!DOCTYPE` and `>`.
pub(super) fn check_doctype(declaration: &str) -> Result<(), FeedError> {
    if declaration.contains('[') {
        return Err(FeedError::Dtd);
    }
    if declaration.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("html")) {
        return Err(FeedError::Html);
    }
    Ok(())
}
