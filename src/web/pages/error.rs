//! What a reader sees where there is no page.

use serde::Serialize;

use super::Pages;

#[derive(Debug, Serialize)]
struct View {
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
    pub fn error(&self, status: u16, words: &str) -> anyhow::Result<String> {
        let of_site = &self.site.words;
        let view =
            View { status, title: of_site.say(words), what_to_do: of_site.say(&format!("{words}-advice")) };
        self.render("error.html", view)
    }
}
