//! What a reader sees where there is no page.

use serde::Serialize;

use super::{Pages, plain};

#[derive(Debug, Serialize)]
struct View {
    status: u16,
    title: String,
    what_to_do: String,
}

impl Pages {
    /// A page for the status `404`, `410`, `500` and their like. `title` says what happened and `what_to_do`
    /// how to go on, both in plain text that is safe for anyone to read.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn error(&self, status: u16, title: &str, what_to_do: &str) -> anyhow::Result<String> {
        let view = View { status, title: plain::text(title), what_to_do: plain::text(what_to_do) };
        self.render("error.html", view)
    }
}
