//! What a reader sees where there is no page.

use serde::Serialize;

use super::Pages;

#[derive(Debug, Serialize)]
struct ErrorPageView {
    status: u16,
    title: String,
    what_to_do: String,
}

impl Pages {
    /// A page for the status `404`, `410`, `503` and their like. Of the words, `words` names what happened, and
    /// `words-advice` how to go on.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn error(&self, status: u16, message_key: &str) -> anyhow::Result<String> {
        let messages = &self.site.messages;
        let view = ErrorPageView {
            status,
            title: messages.get(message_key),
            what_to_do: messages.get(&format!("{message_key}-advice")),
        };
        self.render("error.html", view)
    }
}
