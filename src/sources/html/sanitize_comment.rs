//! Sanitizes comments: the HTML of Notes from the fediverse.

use super::paragraphs::{self, CopyBudget};
use super::resolve_urls::resolve_url;
use super::shorten::shorten;
use super::tree::{self, Element, Node};
use crate::domain::comment::{Attachment, AttachmentKind};
use crate::domain::origin::Origin;
use url::{Host, Url};

/// The maximum size of a comment in bytes. The rest is dropped.
const MAX_COMMENT_BYTES: usize = 100_000;
/// The maximum size of a sanitized comment in bytes. Sanitizing can make a comment longer: it adds what every link needs,
/// and a character such as `&` becomes a reference.
pub const MAX_SANITIZED_COMMENT_BYTES: usize = 128 * 1024;
const LINK_REL: &str = "nofollow ugc noopener noreferrer";

/// Sanitizes the HTML of a comment on the site at `origin`. The result has no ids, styles or images, and links lead
/// to absolute HTTP URLs only. A link whose text names another host than its target shows the host of the target.
///
/// Links to the critic's desk are removed, so that no comment can lead the critic to an action there.
pub fn sanitize_comment(html: &str, origin: &Origin) -> String {
    write_bounded(CommentCleaner::new(html, origin).comment(html))
}

/// Sanitizes a reply as [`sanitize_comment`] does. A reply without words of its own, such as a picture, shows the
/// descriptions of its attachments, each as a link to the file. Without those it links to `post`, its own page.
pub fn sanitize_reply(html: &str, attachments: &[Attachment], post: &Url, origin: &Origin) -> String {
    let cleaner = CommentCleaner::new(html, origin);
    let mut nodes = cleaner.comment(html);
    if !has_words(&nodes) {
        let links = attachments.iter().flat_map(|attached| {
            let url = attached.url.as_ref().unwrap_or(post);
            cleaner.attachment(attached.kind, url, attached.description.as_deref())
        });
        nodes.extend(links);
    }
    if nodes.iter().all(Node::is_blank) {
        nodes = cleaner.attachment(AttachmentKind::Post, post, None);
    }
    write_bounded(nodes)
}

/// Returns the first blocks of a sanitized comment that take at most `limit` bytes, or `None` if all of it does. Of a
/// comment that an older version made longer than [`MAX_SANITIZED_COMMENT_BYTES`], its beginning is enough.
pub fn shorten_comment(safe: &str, limit: usize) -> Option<String> {
    (safe.len() > limit).then(|| tree::write(&shorten(tree::parse(safe), limit)))
}

fn write_bounded(nodes: Vec<Node>) -> String {
    tree::write(&shorten(nodes, MAX_SANITIZED_COMMENT_BYTES))
}

/// Whether there is more than mentions and hashtags, which servers put in front of each reply.
fn has_words(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Text(text) => text.split_whitespace().any(|word| !word.starts_with(['@', '#'])),
        Node::Element(e) => e.attribute("class") != Some("mention") && has_words(&e.children),
    })
}

struct CommentCleaner {
    /// No link may lead to this URL or below it.
    desk: Url,
    copies: CopyBudget,
}

impl CommentCleaner {
    fn new(html: &str, origin: &Origin) -> Self {
        let copies = CopyBudget::for_document(html.len().min(MAX_COMMENT_BYTES));
        Self { desk: origin.desk(), copies }
    }

    fn comment(&self, html: &str) -> Vec<Node> {
        let mut nodes = self.nodes(super::clean(html, MAX_COMMENT_BYTES));
        paragraphs::trim_blank(&mut nodes);
        paragraphs::paragraphs(nodes)
    }

    /// Returns a paragraph with a link to an attachment. Without a description, its class names the kind.
    fn attachment(&self, kind: AttachmentKind, url: &Url, description: Option<&str>) -> Vec<Node> {
        let text = Node::Text(description.unwrap_or(kind.text()).to_owned());
        let mut link = Element::new("a", vec![text]);
        link.attributes.push(("href".into(), url.as_str().into()));
        let mut nodes = Vec::new();
        self.link(link, &mut nodes);
        if let Some(Node::Element(link)) = nodes.first_mut()
            && description.is_none()
        {
            link.attributes.insert(1, ("class".into(), kind.class().into()));
        }
        paragraphs::paragraphs(nodes)
    }

    fn nodes(&self, nodes: Vec<Node>) -> Vec<Node> {
        super::rebuild(nodes, |e, out| self.element(e, out))
    }

    fn element(&self, e: Element, out: &mut Vec<Node>) {
        let name = match e.name.as_str() {
            "b" | "strong" => "strong",
            "i" | "em" => "em",
            "s" | "strike" | "del" => "del",
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let strong = Element::new("strong", Vec::new());
                let inner = paragraphs::push_down(&strong, self.nodes(e.children), &self.copies);
                return out.extend(paragraphs::paragraphs(inner));
            }
            "br" => return out.push(Node::Element(Element::new("br", Vec::new()))),
            "a" => return self.link(e, out),
            "img" | "hr" => return,
            name @ ("p" | "blockquote" | "code" | "pre" | "ul" | "ol" | "li" | "sup" | "sub") => name,
            _ => return self.unwrap(e, out),
        }
        .to_owned();
        let mut children = self.nodes(e.children);
        if name == "pre" {
            paragraphs::trim_first_line(&mut children);
        }
        let new = Element::new(&name, Vec::new());
        if !new.is_block() && children.iter().any(Node::is_block) {
            out.extend(paragraphs::push_down(&new, children, &self.copies));
        } else if !children.iter().all(Node::is_blank) {
            out.push(Node::Element(Element { children, ..new }));
        }
    }

    /// Replaces an element with its content, which becomes a paragraph if the element is a block.
    fn unwrap(&self, e: Element, out: &mut Vec<Node>) {
        let is_block = e.is_block();
        let inner = self.nodes(e.children);
        if is_block && inner.iter().all(Node::is_blank) {
            return;
        }
        if is_block && !inner.iter().any(Node::is_block) {
            return out.push(Node::Element(Element::new("p", inner)));
        }
        out.extend(inner);
    }

    fn link(&self, e: Element, out: &mut Vec<Node>) {
        let target = e.attribute("href").and_then(|href| resolve_url(href, None));
        let Some(target) = target.filter(|target| !self.leads_to_desk(target)) else {
            return out.extend(self.nodes(e.children));
        };
        let class = e.attribute("class").unwrap_or_default().to_owned();
        // This is the text after sanitizing, since an empty block that is removed must not split a URL.
        let mut children = self.nodes(e.children.clone());
        let text = tree::text(&children);
        // Mastodon hides the ends of a long URL. Its classes are kept only if the text is that URL, so that nothing
        // else can be hidden.
        if is_text_of_url(&text, &target) {
            children = keep_shortening_spans(e.children);
        }
        if children.iter().any(Node::is_block) {
            children = vec![Node::Text(text.replace('\n', " "))];
        }
        if let Some(host) = undisclosed_host(&text, &target) {
            children.push(Node::Text(format!(" ({host})")));
        }
        if children.iter().all(Node::is_blank) {
            return;
        }
        let mut link = Element::new("a", children);
        link.attributes.push(("href".into(), target.into()));
        let kept = class.split_whitespace().find(|c| matches!(*c, "mention" | "hashtag"));
        if let Some(class) = kept {
            link.attributes.push(("class".into(), class.into()));
        }
        link.attributes.push(("rel".into(), LINK_REL.into()));
        out.push(Node::Element(link));
    }

    fn leads_to_desk(&self, target: &Url) -> bool {
        target.origin() == self.desk.origin() && target.path().starts_with(self.desk.path())
    }
}

fn is_text_of_url(text: &str, target: &Url) -> bool {
    let target = target.as_str();
    let bare = target.split_once("://").map_or(target, |(_, rest)| rest);
    let text = text.trim_end_matches('/');
    [target, bare].iter().any(|url| url.trim_end_matches('/') == text)
}

fn keep_shortening_spans(nodes: Vec<Node>) -> Vec<Node> {
    super::rebuild(nodes, |e, out| {
        let class = e.attribute("class").unwrap_or_default();
        let class = class.split_whitespace().find(|c| matches!(*c, "invisible" | "ellipsis"));
        let class = class.map(str::to_owned);
        let inner = keep_shortening_spans(e.children);
        if let Some(class) = class.filter(|_| e.name == "span") {
            let mut span = Element::new("span", inner);
            span.attributes.push(("class".into(), class));
            out.push(Node::Element(span));
        } else {
            out.extend(inner);
        }
    })
}

/// Returns the host of the target if the text of the link names another host and does not show the real one yet.
fn undisclosed_host(text: &str, target: &Url) -> Option<String> {
    let real = target.host_str()?;
    if text.ends_with(&format!("({real})")) {
        return None;
    }
    let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
    let named = text.split_whitespace().take(200).filter_map(parse_host);
    let mut other = named.map(|h| bare(&h)).filter(|named| {
        let real = bare(real);
        real != *named && !real.ends_with(&format!(".{named}"))
    });
    other.next().map(|_| real.to_owned())
}

/// Returns the host name that a word looks like.
fn parse_host(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/');
    let word = word.split_once("//").map_or(word, |(_, rest)| rest);
    let word = word.rsplit('@').next()?;
    let word = word.split(['/', '?', '#', ':']).next()?.trim_end_matches(['.', ',']);
    if !word.contains(['.', '\u{3002}', '\u{FF0E}', '\u{FF61}']) || word.len() > 253 {
        return None;
    }
    let url = Url::parse(&format!("http://{word}/")).ok()?;
    match url.host()? {
        Host::Domain(host) => {
            let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
            let named = last.len() >= 2 && !last.bytes().all(|b| b.is_ascii_digit());
            (named && host.contains('.')).then(|| host.to_owned())
        }
        // `3.5` is parsed as an IPv4 address, too.
        Host::Ipv4(ip) => (word.split('.').count() == 4).then(|| ip.to_string()),
        Host::Ipv6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sanitizes a comment on the site crit.example.
    fn comment(html: &str) -> String {
        super::sanitize_comment(html, &Origin::parse("https://crit.example").unwrap())
    }
    use proptest::prelude::*;

    #[test]
    fn a_reply_from_mastodon_keeps_its_markup() {
        let html = "<p><span class=\"h-card\"><a href=\"https://m.example/@ana\" class=\"u-url mention\">@<span>ana</span></a></span> \
                    Loved it<br>\u{1F3AC} <a href=\"https://m.example/tags/film\" class=\"mention hashtag\" rel=\"tag\">#<span>film</span></a></p>";
        assert_eq!(
            comment(html),
            "<p><a href=\"https://m.example/@ana\" class=\"mention\" rel=\"nofollow ugc noopener noreferrer\">@ana</a> \
             Loved it<br>\u{1F3AC} <a href=\"https://m.example/tags/film\" class=\"mention\" rel=\"nofollow ugc noopener noreferrer\">#film</a></p>"
        );
        let long = "<a href=\"https://m.example/a/b\"><span class=\"invisible\">https://</span><span class=\"ellipsis\">m.example/a</span><span class=\"invisible\">/b</span></a>";
        assert!(comment(long).contains("<span class=\"invisible\">https://</span>"));
    }

    #[test]
    fn a_reply_without_words_shows_what_is_attached() {
        let post = "https://m.example/@ana/1".parse().unwrap();
        let origin = Origin::parse("https://crit.example").unwrap();
        let image = |url: &str, description: Option<&str>| Attachment {
            kind: AttachmentKind::Image,
            url: url.parse().ok(),
            description: description.map(str::to_owned),
        };
        let reply =
            |html: &str, attachments: &[Attachment]| sanitize_reply(html, attachments, &post, &origin);
        let cat = image("https://i.example/cat.png", Some("A cat & a <b>screen</b>"));
        let link = "<p><a href=\"https://i.example/cat.png\" rel=\"nofollow ugc noopener noreferrer\">A cat &amp; a &lt;b&gt;screen&lt;/b&gt;</a></p>";
        assert_eq!(reply("", std::slice::from_ref(&cat)), link);
        for mention in [
            "<p><span class=h-card><a href='https://crit.example/@ada' class='u-url mention'>@<span>ada</span></a></span></p>",
            "<p>@ada@crit.example #film</p>",
        ] {
            let shown = reply(mention, std::slice::from_ref(&cat));
            assert!(shown.ends_with(link) && shown.contains("ada"), "{shown}");
        }
        assert_eq!(reply("<p>Ha!</p>", &[cat]), "<p>Ha!</p>", "it has words");
        assert_eq!(
            reply("<p></p>", &[image("", None)]),
            "<p><a href=\"https://m.example/@ana/1\" class=\"attached-image\" rel=\"nofollow ugc noopener noreferrer\">a picture</a></p>"
        );
        assert!(reply(" <br>", &[]).contains("class=\"attached-post\""), "a quote without words");
        assert_eq!(reply("", &[image("https://crit.example/desk/x", Some("Look"))]), "<p>Look</p>");
        let lie = reply("", &[image("https://evil.example/x", Some("bank.example"))]);
        assert!(lie.contains("bank.example (evil.example)</a>"), "{lie}");
    }

    #[test]
    fn an_empty_element_does_not_protect_a_line_break_in_pre() {
        let html = "<pre><code>\u{b}</code>\n<code> </code>\n\n <pre>A</pre></pre>";
        let safe = comment(html);
        assert_eq!(comment(&safe), safe);
    }

    #[test]
    fn classes_cannot_hide_text() {
        let html =
            "<p><a href=\"https://evil.example/\"><span class=\"invisible\">x</span>bank.example</a></p>";
        let safe = comment(html);
        assert!(!safe.contains("invisible"), "{safe}");
        assert!(safe.contains("xbank.example (evil.example)</a>"), "{safe}");
    }

    #[test]
    fn attacks_are_defused() {
        for html in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
            "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
            "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
            "<meta http-equiv=refresh content='0;url=//evil.example'><base href='//evil.example'>",
            "<p id=app style='position:fixed' class=overlay onclick=alert(1)>x</p>",
            "<a href='javascript:alert(1)'>x</a><a href='java&#x0A;script:alert(1)'>y</a><a href='data:text/html,x'>z</a>",
            "<a href='/desk/reviews'>x</a><a href='//evil.example/'>y</a><a href='\\\\evil.example'>z</a>",
            "<form action=/desk/login><input name=password></form><button>x</button>",
        ] {
            let safe = comment(html);
            for bad in
                ["script", "onerror", "<img", "id=", "style", "href", "<form", "<input", "class", "alert"]
            {
                assert!(!safe.contains(bad), "{html} gave {safe}");
            }
        }
    }

    #[test]
    fn a_link_shows_the_host_of_its_target() {
        let shown = |text: &str, href: &str| comment(&format!("<a href=\"{href}\">{text}</a>"));
        assert!(shown("https://bank.example/login", "https://evil.example/").contains("(evil.example)"));
        assert!(shown("see bank.example!", "https://evil.example/").contains("(evil.example)"));
        assert!(shown("b\u{430}nk.example", "https://bank.example/").contains("(bank.example)"));
        assert!(shown("bank.example", "https://bank.example@evil.example/").contains("bank.example"));
        assert!(!shown("bank.example", "https://www.bank.example/x").contains('('));
        assert!(!shown("Read 3.5/5 e.g. here", "https://bank.example/x").contains('('));
        assert_eq!(shown("bank.example", "https://bank.example@evil.example/"), "<p>bank.example</p>");
    }

    #[test]
    fn an_empty_block_does_not_split_a_url() {
        let html = "<a href='https://a.example/b'>a.example<blockquote></blockquote>a.example</a>";
        let once = comment(html);
        assert!(once.contains(">a.examplea.example (a.example)</a>"), "{once}");
        assert_eq!(comment(&once), once);
    }

    #[test]
    fn deceptive_characters_are_removed() {
        assert_eq!(
            comment("<p>a&#x202E;b\u{200B}c&#0;&#8294;d</p>"),
            "<p>ab\u{c}d</p>".replace('\u{c}', "c\u{FFFD}")
        );
        assert!(comment(&format!("x{}", "&#x301;".repeat(1_000))).len() < 20);
    }

    /// What comes out is counted as bytes of HTML, before it is cut.
    #[test]
    fn no_shape_of_markup_multiplies_what_comes_in() {
        let nested = "<b>".repeat(37) + &"<p>x".repeat(49) + &"</b>".repeat(37);
        let named = |name: &str| format!("<{name}>").repeat(30) + &"<p>x".repeat(40);
        let shapes = [
            ("inline around blocks", nested.as_str(), 3),
            ("different inlines", "<b><i><s><sup><sub><code><p>x<p>y<p>z</code></sub></sup></s></i></b>", 3),
            ("unclosed inline around blocks", &named("i"), 3),
            ("headings around blocks", &("<h1>".repeat(20) + &"<div>x</div>".repeat(30)), 3),
            ("links around blocks", "<a href='https://a.example/b'><p>b.example<p>c.example</a>", 4),
            ("nested lists", &("<ul><li><b>".repeat(12) + &"<li>x".repeat(20)), 4),
            ("tables", &format!("<b>{}</b>", "<table><tr><td>x<td>y</table>".repeat(9)), 4),
            ("quotes", &("<em><blockquote>".repeat(18) + "x"), 3),
            ("short links", "<a href=http://a.b>x", 5),
            ("ampersands", "&", 5),
            ("unclosed tags", "<b>x", 6),
            ("no-break spaces", "\u{A0}", 3),
            ("line breaks", "x<br><br>", 2),
            ("code around lines", "<code><p>x<pre>y</pre>", 4),
        ];
        let origin = Origin::parse("https://crit.example").unwrap();
        for (shape, html, factor) in shapes {
            let html = html.repeat(30_000 / html.len());
            let nodes = CommentCleaner::new(&html, &origin).comment(&html);
            let bytes: usize = nodes.iter().map(Node::bytes).sum();
            assert!(bytes <= factor * html.len() + 100, "{shape}: {bytes} bytes of {}", html.len());
            let shown = tree::write(&shorten(nodes, 10_000));
            assert!(shown.len() <= 10_000, "{shape}: {}", shown.len());
            assert!(shown.len() >= bytes.min(10_000) / 2, "{shape}: {} of {bytes}", shown.len());
        }
    }

    #[test]
    fn a_long_comment_is_cut() {
        for html in ["&", "<b>x</b>", "<a href=http://a.b>x", "\u{A0}x"] {
            let safe = comment(&html.repeat(MAX_COMMENT_BYTES / html.len()));
            let most = MAX_SANITIZED_COMMENT_BYTES;
            assert!((most / 2..=most).contains(&safe.len()), "{html}: {}", safe.len());
        }
    }

    #[test]
    fn an_inline_element_moves_into_the_blocks_that_it_contains() {
        assert_eq!(
            comment("<b>a<p>b</p><ul><li>c</li></ul></b>"),
            "<p><strong>a</strong></p><p><strong>b</strong></p><ul><li><strong>c</strong></li></ul>"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
        #[test]
        fn a_comment_is_bounded_whatever_is_repeated(parts in proptest::collection::vec(prop_oneof![
            Just("<p>"), Just("</p>"), Just("<b>"), Just("</b>"), Just("<i><s>"), Just("</i>"), Just("<h3>"), Just("<ul><li>"),
            Just("<blockquote>"), Just("</blockquote>"), Just("<table><td>"), Just("<a href=http://a.b>"), Just("x"),
            Just("&&&"), Just("<br>"), Just("<div>"), Just("</div>"), Just("<code>"), Just("<pre>"),
        ], 1..60)) {
            let part = parts.concat();
            let safe = comment(&part.repeat(MAX_COMMENT_BYTES / part.len()));
            prop_assert!(safe.len() <= MAX_SANITIZED_COMMENT_BYTES, "{} bytes of {part}", safe.len());
        }
    }

    proptest! {
        #[test]
        fn sanitizing_a_comment_is_idempotent(parts in proptest::collection::vec(prop_oneof![
            Just("<p>"), Just("</p>"), Just("<a href='https://a.example/b'>"), Just("a.example"), Just("b.example"),
            Just("</a>"), Just("<br>"), Just("<em>"), Just("<div>"), Just("</div>"), Just("<ul><li>"), Just("<pre>\n\n"),
            Just("<h2>"), Just(" "), Just("x & y < z"), Just("<span class=invisible>"), Just("<table><td>"), Just("&nbsp;"),
            Just("<blockquote>"), Just("</blockquote>"), Just("<code>"), Just("&lt;script&gt;"), Just("\""),
        ], 0..14)) {
            let once = comment(&parts.concat());
            prop_assert_eq!(comment(&once), once.clone());
        }

        #[test]
        fn no_bytes_cause_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            comment(&String::from_utf8_lossy(&bytes));
        }
    }
}
