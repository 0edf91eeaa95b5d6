//! Renders error pages.

use serde::Serialize;

use super::Pages;

#[derive(Debug, Serialize)]
struct ErrorPageView {
    status: u16,
    title: String,
    #[serde(rename = "what_to_do")]
    advice: String,
}

impl Pages {
    /// Renders the page for an error status. The message `<message_key>` says what happened, and `<message_key>-advice`
    /// what to do.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn error(&self, status: u16, message_key: &str) -> anyhow::Result<String> {
        let messages = &self.site.messages;
        let view = ErrorPageView {
            status,
            title: messages.get(message_key),
            advice: messages.get(&format!("{message_key}-advice")),
        };
        self.render("error.html", view)
    }
}
