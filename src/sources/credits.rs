//! Extracts the credits of a review: the lines near its top that name the people who made the film, its release date and
//! the critic's rating. They are removed from the body, since pages show them separately. An ambiguous line stays in the
//! body and has no effect.

mod credit_line;
mod dates;
mod film_in_headline;
mod person_names;

use jiff::civil::Date;

use super::html::{self, Element, Node};
use crate::domain::content_hash::fold_letters;
use crate::domain::film::Film;
use crate::domain::rating::Rating;
use crate::domain::release_date::ReleaseDate;
use credit_line::{Line, classify};
use dates::PartialDate;
use film_in_headline::is_title_case;

/// Extracted credits, and the body without them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Credits {
    /// The film, as far as it is known.
    pub film: Film,
    /// The critic's rating.
    pub rating: Option<Rating>,
    /// The date of publication that the review states.
    pub published: Option<Date>,
    /// The body without the extracted lines.
    pub body: String,
}

/// The maximum number of lines before the first credit, since credits are near the top.
const MAX_LINES_BEFORE: usize = 8;

/// Extracts the credits from a headline (plain text) and a body that `html::sanitize_review_body` returned.
pub fn extract(title: &str, body: &str) -> Credits {
    let mut extractor = Extractor {
        headline: title,
        quoted: film_in_headline::quoted_title(title),
        found: Credits::default(),
        line_above: None,
        skipped_lines: 0,
        has_started: false,
        is_done: false,
    };
    let mut nodes = html::parse(body);
    extractor.blocks(&mut nodes);
    extractor.last_line(&mut nodes);
    let mut credits = extractor.finish();
    credits.body = html::write(&nodes);
    credits
}

struct Extractor<'a> {
    headline: &'a str,
    quoted: Option<String>,
    found: Credits,
    /// The short line directly above the credits, which may be the film's title.
    line_above: Option<String>,
    skipped_lines: usize,
    has_started: bool,
    is_done: bool,
}

impl Extractor<'_> {
    /// Processes blocks from the top until prose begins, and removes the extracted lines.
    fn blocks(&mut self, nodes: &mut Vec<Node>) {
        let mut at = 0;
        // The index of the block that consists only of `line_above`.
        let mut block_above: Option<usize> = None;
        while at < nodes.len() && !self.is_done {
            let Some(Node::Element(element)) = nodes.get_mut(at) else {
                at += 1;
                continue;
            };
            if element.is_image_figure() {
                at += 1;
                continue;
            }
            let is_single_line = matches!(element.name.as_str(), "p" | "h2" | "h3" | "h4" | "h5" | "h6")
                && !has_break(&element.children);
            let had_started = self.has_started;
            let is_emptied = self.block(element);
            if self.has_started {
                let title = self.line_above.take().filter(|_| !had_started);
                if title.is_some_and(|title| self.use_as_title(&title))
                    && let Some(above) = block_above
                {
                    nodes.remove(above);
                    at -= 1;
                }
            } else {
                block_above = (is_single_line && self.line_above.is_some()).then_some(at);
                if block_above.is_none() {
                    self.line_above = None;
                }
            }
            if is_emptied {
                nodes.remove(at);
            } else {
                at += 1;
            }
        }
    }

    /// Processes a block. Returns whether nothing is left of it.
    fn block(&mut self, element: &mut Element) -> bool {
        match element.name.as_str() {
            "ul" | "ol" | "tbody" | "thead" | "table" | "blockquote" | "div" => self.rows(element),
            "dl" => self.terms(element),
            "hr" => false,
            "pre" | "figure" | "details" => {
                self.is_done = true;
                false
            }
            _ => self.lines(element),
        }
    }

    fn rows(&mut self, element: &mut Element) -> bool {
        let mut kept = Vec::new();
        for node in std::mem::take(&mut element.children) {
            match node {
                Node::Element(mut row) if !self.is_done => {
                    let is_emptied = match row.name.as_str() {
                        "tr" => self.row(&row),
                        "li" if !row.children.iter().any(Node::is_block) => self.lines(&mut row),
                        "li" | "caption" => {
                            self.is_done = true;
                            false
                        }
                        _ => self.block(&mut row),
                    };
                    if !is_emptied {
                        kept.push(Node::Element(row));
                    }
                }
                node => kept.push(node),
            }
        }
        element.children = kept;
        element.children.iter().all(Node::is_blank)
    }

    fn row(&mut self, row: &Element) -> bool {
        let cells = row.children.iter().map(|c| html::text_of(std::slice::from_ref(c)).replace('\n', ", "));
        let cells: Vec<String> = cells.filter(|c| !c.is_empty()).collect();
        let text = match cells.as_slice() {
            [label, value] => format!("{}: {value}", label.trim_end_matches(':')),
            cells => cells.join(" "),
        };
        self.line(&text)
    }

    /// Processes a description list.
    fn terms(&mut self, list: &mut Element) -> bool {
        let mut kept: Vec<Node> = Vec::new();
        let mut nodes = std::mem::take(&mut list.children).into_iter().peekable();
        while let Some(term) = nodes.next() {
            let mut values = Vec::new();
            while let Some(value) = nodes.next_if(|n| n.is("dd")) {
                values.push(value);
            }
            let label = html::text_of(std::slice::from_ref(&term)).replace('\n', " ");
            let value = html::text_of(&values).replace('\n', ", ");
            if self.is_done || !self.line(&format!("{}: {value}", label.trim_end_matches(':'))) {
                kept.push(term);
                kept.extend(values);
            }
        }
        list.children = kept;
        list.children.is_empty()
    }

    /// Processes a paragraph line by line.
    fn lines(&mut self, element: &mut Element) -> bool {
        let mut kept: Vec<Node> = Vec::new();
        let mut title_at: Option<usize> = None;
        let mut has_extracted = false;
        let whole = element.children.clone();
        for line in split_lines(std::mem::take(&mut element.children)) {
            let text = html::text_of(&line).replace('\n', " ");
            if text.is_empty() {
                continue;
            }
            let had_started = self.has_started;
            if self.is_done || !self.line(&text) {
                let start = kept.len();
                if !kept.is_empty() {
                    kept.push(Node::Element(Element::new("br", Vec::new())));
                }
                title_at = (!self.has_started && self.line_above.is_some()).then_some(start);
                kept.extend(line);
                continue;
            }
            has_extracted = true;
            if !had_started
                && let Some(from) = title_at.take()
                && let Some(title) = self.line_above.take()
                && self.use_as_title(&title)
            {
                kept.truncate(from);
            }
        }
        element.children = if has_extracted { kept } else { whole };
        element.children.iter().all(Node::is_blank)
    }

    /// Processes a line. Returns whether it was extracted.
    fn line(&mut self, text: &str) -> bool {
        let line = classify(text);
        match line {
            Line::Blank => return false,
            Line::Short if !self.has_started && self.skipped_lines < MAX_LINES_BEFORE => {
                self.skipped_lines += 1;
                self.line_above = Some(text.trim().to_owned());
                return false;
            }
            Line::Prose | Line::Short => {
                self.is_done = true;
                return false;
            }
            _ => self.has_started = true,
        }
        self.store(line)
    }

    /// Stores the content of a line. Returns `false` if there was such a line before, or if there is no field for it.
    fn store(&mut self, line: Line) -> bool {
        let found = &mut self.found;
        let film = &mut found.film;
        match line {
            Line::Directors(names) if film.directors.is_empty() => film.directors = names,
            Line::Writers(names) if film.writers.is_empty() => film.writers = names,
            Line::DirectorsAndWriters(names) if film.directors.is_empty() && film.writers.is_empty() => {
                film.directors.clone_from(&names);
                film.writers = names;
            }
            Line::Stars(names) if film.stars.is_empty() => film.stars = names,
            Line::Released(PartialDate::Day(day)) if film.release_date.is_none() => {
                film.release_date = Some(day.into());
            }
            Line::Released(PartialDate::Year(year)) | Line::Year(year)
                if film.year.is_none_or(|y| y == year) =>
            {
                film.year = Some(year);
            }
            Line::Released(PartialDate::Month(year)) => {
                // There is no field for the month, so the line stays in the body.
                film.year = film.year.or(Some(year));
                return false;
            }
            Line::Published(PartialDate::Day(day)) if found.published.is_none() => {
                found.published = Some(day);
            }
            Line::Rated(rating) if found.rating.is_none() => found.rating = Some(rating),
            Line::Title(title, year) if film.title.is_empty() => {
                film.title = title;
                film.year = film.year.or(year);
            }
            _ => return false,
        }
        true
    }

    /// Uses the line above the credits as the film's title if it is unambiguous. Returns whether it was used.
    fn use_as_title(&mut self, text: &str) -> bool {
        if !self.found.film.title.is_empty() {
            return false;
        }
        let (title, year) = match film_in_headline::split_off_year(text) {
            Some((title, year)) => (title, Some(year)),
            None => (film_in_headline::strip_quotes(text).to_owned(), None),
        };
        let is_in_headline =
            !fold_letters(&title).is_empty() && fold_letters(self.headline).contains(&fold_letters(&title));
        let is_contradicted = self.quoted.as_ref().is_some_and(|q| fold_letters(q) != fold_letters(&title));
        if is_contradicted || !(is_in_headline || year.is_some() || is_title_case(&title)) {
            return false;
        }
        self.found.film.title = title;
        self.found.film.year = self.found.film.year.or(year);
        true
    }

    /// Extracts a rating from the last line, since many reviews end with one.
    fn last_line(&mut self, nodes: &mut Vec<Node>) {
        if self.found.rating.is_some() || nodes.len() < 2 {
            return;
        }
        let Some(at) = nodes.iter().rposition(|node| !node.is_image_figure()) else {
            return;
        };
        if let Some(Node::Element(last)) = nodes.get(at)
            && last.name == "p"
            && let Line::Rated(rating) = classify(&html::text_of(&last.children))
        {
            self.found.rating = Some(rating);
            nodes.remove(at);
        }
    }

    fn finish(mut self) -> Credits {
        let film = &mut self.found.film;
        if let Some((title, year)) = film_in_headline::title_with_year(self.headline)
            && (film.title.is_empty() || fold_letters(&film.title) == fold_letters(&title))
        {
            film.title = title;
            film.year = film.year.or(Some(year));
        }
        let is_review = self.headline.to_lowercase().contains("review");
        if film.title.is_empty() && (is_review || self.has_started || self.found.rating.is_some()) {
            film.title = self.quoted.unwrap_or_default();
        }
        film.year = film.year.or(film.release_date.map(ReleaseDate::year));
        self.found
    }
}

fn has_break(nodes: &[Node]) -> bool {
    nodes.iter().any(|n| matches!(n, Node::Element(e) if e.name == "br" || has_break(&e.children)))
}

/// Splits a paragraph into lines. An element that spans several lines is split as well.
fn split_lines(nodes: Vec<Node>) -> Vec<Vec<Node>> {
    let mut lines: Vec<Vec<Node>> = vec![Vec::new()];
    for node in nodes {
        match node {
            Node::Element(e) if e.name == "br" => lines.push(Vec::new()),
            Node::Element(mut e) if has_break(&e.children) => {
                let inner = split_lines(std::mem::take(&mut e.children));
                for (at, children) in inner.into_iter().enumerate() {
                    if at > 0 {
                        lines.push(Vec::new());
                    }
                    if let Some(line) = lines.last_mut().filter(|_| !children.is_empty()) {
                        line.push(Node::Element(Element { children, ..e.clone() }));
                    }
                }
            }
            node => {
                if let Some(line) = lines.last_mut() {
                    line.push(node);
                }
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const PROSE: &str = "<p>A lift stops between two floors, and so does a marriage. It was directed by a man who knows both.</p>";

    fn anora(block: &str) -> Credits {
        let base = "https://crit.example/a".parse().unwrap();
        extract(
            "Movie Review: 'Anora' is a Riot",
            &html::sanitize_review_body(&format!("{block}{PROSE}"), &base),
        )
    }

    #[test]
    fn credits_are_extracted_from_all_common_layouts() {
        let paragraphs = "<p>Anora</p><p>Directed by Sean Baker</p><p>Written by Sean Baker</p><p>Starring Mikey Madison, Mark Eydelshteyn</p>\
            <p>Release Date October 8th, 2024</p><p>Published October 18th, 2024</p>";
        let breaks = "<p><b>Anora</b><br>Directed by: Sean Baker<br><em>Written by</em> Sean Baker<br>Starring: Mikey Madison and Mark Eydelshteyn<br>\
            Released: 8 October 2024<br>Published: 2024-10-18</p>";
        let strong = "<p><strong>Anora (2024)<br>Directed by:&nbsp;Sean Baker<br>Written by: Sean Baker<br>Starring: Mikey Madison &amp; Mark Eydelshteyn<br>\
            Release Date: Oct. 8, 2024<br>Published: October 18, 2024</strong></p>";
        let list = "<h3>Anora</h3><ul><li><b>Director:</b> Sean Baker</li><li>Writer: Sean Baker</li><li>Cast: Mikey Madison, Mark Eydelshteyn</li>\
            <li>Released: 2024-10-08</li><li>Published October 18th, 2024</li></ul>";
        let table = "<p>Anora</p><table><tr><td>Directed by</td><td>Sean Baker</td></tr><tr><th>Written by:</th><td>Sean Baker</td></tr>\
            <tr><td>Starring</td><td>Mikey Madison<br>Mark Eydelshteyn</td></tr><tr><td>Release date</td><td>October 8, 2024</td></tr><tr><td>Published</td><td>10/18/2024</td></tr></table>";
        let boxes = "<div><div>Anora</div><div>Directed by Sean Baker</div><div>Written by Sean Baker</div><div>Starring Mikey Madison, Mark Eydelshteyn</div>\
            <div>Release Date October 8th, 2024</div><div>Published October 18th, 2024</div></div>";
        let terms = "<h2>Anora</h2><dl><dt>Directed by<dd>Sean Baker<dt>Written by<dd>Sean Baker<dt>Starring<dd>Mikey Madison<dd>Mark Eydelshteyn\
            <dt>Released<dd>October 8, 2024<dt>Published<dd>October 18, 2024</dl>";
        for block in [paragraphs, breaks, strong, list, table, boxes, terms] {
            let credits = anora(block);
            assert_eq!(credits.body, PROSE, "{block}");
            let film = credits.film;
            assert_eq!(
                (film.title.as_str(), film.year, film.release_date),
                ("Anora", Some(2024), Some(date(2024, 10, 8).into())),
                "{block}"
            );
            assert_eq!(
                (film.directors, film.writers),
                (vec!["Sean Baker".to_owned()], vec!["Sean Baker".to_owned()]),
                "{block}"
            );
            assert_eq!(film.stars, ["Mikey Madison", "Mark Eydelshteyn"], "{block}");
            assert_eq!(credits.published, Some(date(2024, 10, 18)), "{block}");
        }
    }

    #[test]
    fn ratings_are_extracted_at_the_top_and_at_the_end() {
        for line in ["★★★½", "Rating: ★★★½", "<b>Rating</b> ★★★½"] {
            let top = anora(&format!("<p>{line}</p>"));
            assert_eq!(
                (top.rating.as_ref().map(Rating::as_str), top.body.as_str()),
                (Some("★★★½"), PROSE),
                "{line}"
            );
            let end = extract("'Anora'", &format!("{PROSE}<p>{line}</p>"));
            assert_eq!(
                (end.rating.as_ref().map(Rating::as_str), end.body.as_str()),
                (Some("★★★½"), PROSE),
                "{line}"
            );
        }
        assert_eq!(anora("<p>Grade: B+</p>").rating, Rating::parse("B+"));
        assert_eq!(anora("<p>A</p>").rating, None);
    }

    #[test]
    fn prose_is_not_mistaken_for_credits() {
        for prose in [
            "<p>Directed by Sean Baker, this film is a delight.</p>",
            "<p>Starring in your own life is hard, says this film.</p>",
            "<p>Released in 1979 to little fanfare, it grew.</p>",
            "<p>Published authors rarely get films this kind.</p>",
            "<p>Written by hand, shot by heart</p>",
            "<p>Rating films is silly.</p>",
            "<p>Director: that is what he wants to be, and so he lies.</p>",
        ] {
            let credits = extract("A delight", &format!("{prose}{PROSE}<p>Directed by Sean Baker</p>"));
            assert_eq!(credits.body, format!("{prose}{PROSE}<p>Directed by Sean Baker</p>"));
            assert_eq!(credits.film, Film::default(), "{prose}");
        }
    }

    #[test]
    fn lines_without_a_field_stay_in_the_body() {
        let credits = anora(
            "<p>By A. Critic</p><p>Anora</p><p>Directed by Sean Baker<br>Running time: 139 minutes<br>Released: October 2024<br>A tale begins, and goes on.</p>",
        );
        assert_eq!(credits.film.title, "Anora");
        assert_eq!(credits.film.year, Some(2024));
        assert_eq!(
            credits.body,
            format!(
                "<p>By A. Critic</p><p>Running time: 139 minutes<br>Released: October 2024<br>A tale begins, and goes on.</p>{PROSE}"
            )
        );
    }

    #[test]
    fn only_an_unambiguous_title_is_used() {
        let block = |line: &str| format!("<p>{line}</p><p>Directed by Sean Baker</p>{PROSE}");
        let title = |headline: &str, line: &str| extract(headline, &block(line)).film.title;
        assert_eq!(title("A riot in Brighton", "Anora"), "Anora");
        assert_eq!(title("'Anora' is a riot", "A tale of a city"), "Anora");
        assert_eq!(title("A riot in Brighton", "A tale of one city"), "");
        assert_eq!(title("A riot in Brighton", "By Sean Critic"), "");
        assert_eq!(extract("'Elevated Horror' needs to end", PROSE).film.title, "");
        assert_eq!(extract("Stalker (1979)", PROSE).film.year, Some(1979));
    }

    proptest! {
        #[test]
        fn no_body_causes_a_panic(title in ".{0,40}", parts in proptest::collection::vec(prop_oneof![
            Just("<p>"), Just("</p>"), Just("<br>"), Just("Directed by "), Just("Sean Baker"), Just("<ul><li>"), Just("</ul>"), Just("Anora"), Just("(1979)"),
            Just("<table><tr><td>"), Just("<td>"), Just("Rating: "), Just("★★"), Just("<dl><dt>"), Just("<dd>"), Just("<strong>"), Just("Released "), Just("1979"), Just("'"), Just("é"), Just(", and "),
        ], 0..20)) {
            let base = "https://crit.example/a".parse().unwrap();
            let body = html::sanitize_review_body(&parts.concat(), &base);
            let once = extract(&title, &body);
            prop_assert_eq!(html::sanitize_review_body(&once.body, &base), once.body);
        }
    }
}
