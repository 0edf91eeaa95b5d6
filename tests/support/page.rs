//! What a reader sees of a page.

use scraper::{ElementRef, Html, Selector};

/// A page, taken apart.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its text, each run of white space as one space.
    pub text: String,
    /// The comments in the order in which they stand.
    pub comments: Vec<Comment>,
    /// Each element of its body: name and attributes.
    pub elements: Vec<(String, Vec<(String, String)>)>,
}

/// A comment on a page.
#[derive(Debug, Clone)]
pub struct Comment {
    /// The anchor, as in the address that leads to it.
    pub anchor: String,
    /// The anchor of the comment that it replies to, as its own link says.
    in_reply_to: Option<String>,
    /// Its own text, without the replies to it.
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
            comments: document.select(&anchors).map(Comment::of).collect(),
            elements: elements.collect(),
        }
    }

    /// The comment that says this.
    pub fn comment(&self, text: &str) -> Option<&Comment> {
        self.comments.iter().find(|comment| comment.text.contains(text))
    }

    /// The comment that another replies to. It stands before it.
    pub fn parent_of(&self, comment: &Comment) -> Option<&Comment> {
        let at = self.comments.iter().position(|known| known.anchor == comment.anchor)?;
        self.comments[..at].iter().find(|before| Some(&before.anchor) == comment.in_reply_to.as_ref())
    }

    /// Where its scripts come from, without their queries. Data for machines is no script.
    pub fn scripts(&self) -> Vec<&str> {
        let is_data = |(key, value): &(String, String)| key == "type" && value == "application/ld+json";
        let scripts = self.elements.iter().filter(|(name, _)| name == "script");
        let scripts = scripts.filter(|(_, attributes)| !attributes.iter().any(is_data));
        let sources = scripts.map(|(_, attributes)| {
            attributes.iter().find(|(key, _)| key == "src").map_or("", |(_, value)| value.as_str())
        });
        sources.map(|source| source.split('?').next().unwrap_or_default()).collect()
    }

    /// The values of an attribute, wherever it stands.
    pub fn attribute<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        let all = self.elements.iter().flat_map(|(_, attributes)| attributes);
        all.filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Comment {
    fn of(element: ElementRef<'_>) -> Self {
        let anchor = element.value().id().unwrap_or_default().to_owned();
        let links = Selector::parse("a[href^='#comment-']").expect("a selector");
        let links = element.select(&links).filter_map(|link| link.attr("href"));
        let mut others = links.map(|link| link[1..].to_owned()).filter(|link| *link != anchor);
        Self { in_reply_to: others.next(), text: text_of(element, Some("comment-")), anchor }
    }
}

/// The text of an element, without that of the elements in it whose id starts with `but`.
fn text_of(element: ElementRef<'_>, but: Option<&str>) -> String {
    let mut text = String::new();
    for node in element.descendants().skip(1) {
        let Some(piece) = node.value().as_text() else {
            continue;
        };
        let between = node.ancestors().take_while(|ancestor| ancestor.id() != element.id());
        let is_elsewhere = between.filter_map(ElementRef::wrap).any(|ancestor| {
            let id = ancestor.value().id().unwrap_or_default();
            but.is_some_and(|but| id.starts_with(but))
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
    fn a_comment_tells_what_it_answers() {
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
