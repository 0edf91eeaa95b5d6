//! The content of a page as a reader sees it.

use scraper::{ElementRef, Html, Selector};

/// A parsed page.
#[derive(Debug, Clone)]
pub struct Page {
    /// The text, with each run of white space as one space.
    pub text: String,
    /// The comments in the order of the page.
    pub comments: Vec<Comment>,
    /// Each element with its name and attributes.
    pub elements: Vec<(String, Vec<(String, String)>)>,
}

/// A comment on a page.
#[derive(Debug, Clone)]
pub struct Comment {
    /// The anchor, as in the URL that leads to the comment.
    pub anchor: String,
    /// The anchor of the comment that it replies to, according to its own link.
    in_reply_to: Option<String>,
    /// Its own text, without replies.
    pub text: String,
}

impl Page {
    pub fn parse(html: &str) -> Self {
        let document = Html::parse_document(html);
        let all = Selector::parse("*").expect("a selector");
        let anchors = Selector::parse("[id^='comment-']").expect("a selector");
        let elements = document.select(&all).map(|element| {
            let attributes = element.value().attrs();
            let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
            (element.value().name().to_owned(), attributes.collect())
        });
        let body = document.select(&Selector::parse("body").expect("a selector")).next();
        Self {
            text: body.map(|body| text_of(body, None)).unwrap_or_default(),
            comments: document.select(&anchors).map(Comment::from_element).collect(),
            elements: elements.collect(),
        }
    }

    /// Finds the comment with this text.
    pub fn comment(&self, text: &str) -> Option<&Comment> {
        self.comments.iter().find(|comment| comment.text.contains(text))
    }

    /// Finds the parent of a comment, which must come before it.
    pub fn parent_of(&self, comment: &Comment) -> Option<&Comment> {
        let at = self.comments.iter().position(|known| known.anchor == comment.anchor)?;
        self.comments[..at].iter().find(|before| Some(&before.anchor) == comment.in_reply_to.as_ref())
    }

    /// The sources of its scripts, without queries. JSON-LD is not a script.
    pub fn scripts(&self) -> Vec<&str> {
        let is_data = |(key, value): &(String, String)| key == "type" && value == "application/ld+json";
        let scripts = self.elements.iter().filter(|(name, _)| name == "script");
        let scripts = scripts.filter(|(_, attributes)| !attributes.iter().any(is_data));
        let sources = scripts.map(|(_, attributes)| {
            attributes.iter().find(|(key, _)| key == "src").map_or("", |(_, value)| value.as_str())
        });
        sources.map(|source| source.split('?').next().unwrap_or_default()).collect()
    }

    /// All values of an attribute on the page.
    pub fn attribute<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        let all = self.elements.iter().flat_map(|(_, attributes)| attributes);
        all.filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Comment {
    fn from_element(element: ElementRef<'_>) -> Self {
        let anchor = element.value().id().unwrap_or_default().to_owned();
        let links = Selector::parse("a[href^='#comment-']").expect("a selector");
        let links = element.select(&links).filter_map(|link| link.attr("href"));
        let mut others = links.map(|link| link[1..].to_owned()).filter(|link| *link != anchor);
        Self { in_reply_to: others.next(), text: text_of(element, Some("comment-")), anchor }
    }
}

/// The text of an element, without elements in it whose id starts with `except`.
fn text_of(element: ElementRef<'_>, except: Option<&str>) -> String {
    let mut text = String::new();
    for node in element.descendants().skip(1) {
        let Some(piece) = node.value().as_text() else {
            continue;
        };
        let between = node.ancestors().take_while(|ancestor| ancestor.id() != element.id());
        let is_elsewhere = between.filter_map(ElementRef::wrap).any(|ancestor| {
            let id = ancestor.value().id().unwrap_or_default();
            except.is_some_and(|prefix| id.starts_with(prefix))
                || matches!(ancestor.value().name(), "script" | "style")
        });
        if !is_elsewhere {
            text.push_str(piece);
            text.push(' ');
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

mod tests {
    use super::Page;

    #[test]
    fn a_comment_links_to_its_parent() {
        let page = Page::parse(
            "<body><ol><li id=comment-1><p>First</p></li>\
             <li id=comment-2><a href='#comment-2'>now</a> to <a href='#comment-1'>Ann</a> Second</li></ol></body>",
        );
        let second = page.comment("Second").expect("the reply");
        assert_eq!(page.comments[0].text, "First");
        assert_eq!(second.anchor, "comment-2");
        assert_eq!(page.parent_of(second).expect("the first").anchor, "comment-1");
        assert!(page.parent_of(&page.comments[0]).is_none());
    }
}
