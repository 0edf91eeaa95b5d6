//! The target `comment`: the HTML of a comment.

/// Checks one input.
pub fn check_input(data: &[u8]) {
    if let Ok(html) = std::str::from_utf8(data) {
        crate::assert_comment_is_safe(html);
    }
}
