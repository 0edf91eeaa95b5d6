//! What is read from the headlines, credits and ratings of critics, through one feed with reviews in many forms.

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::support::Database;
use crate::support::feed::Item;

both_databases!(films_credits_and_ratings_are_read_as_critics_write_them);

/// The keys of `review show` that are compared.
const KEYS: [&str; 6] = ["film", "year", "directors", "writers", "starring", "rating"];

/// Headlines, the paragraphs before and after the prose, and what is read from them.
const REVIEWS: [(&str, &[&str], &[&str], &str); 50] = [
    // A line in the credits that has no field.
    (
        "One to nobody",
        &["Directed by: Ilse Brandt", "Country: Norway", "Starring: Nora Ek, Jon Vale", "Rating: 4/5"],
        &[],
        "directors: [Ilse Brandt]; starring: [Nora Ek, Jon Vale]; rating: 4/5",
    ),
    (
        "Two on the window",
        &["Director: Ilse Brandt", "Certificate: 15", "Music: Per Lund", "Cast: Nora Ek, Jon Vale"],
        &[],
        "directors: [Ilse Brandt]; starring: [Nora Ek, Jon Vale]",
    ),
    (
        "Three by the sea",
        &["Director: Ilse Brandt", "Run Time: 98 minutes", "Aspect ratio: 1.66:1", "Writer: Tomas Rey"],
        &[],
        "film: Three by the sea; directors: [Ilse Brandt]; writers: [Tomas Rey]",
    ),
    (
        "Four in the fog",
        &["Regie: Ilse Brandt", "Land: Norwegen", "FSK: ab 12", "Verleih: Nordlicht", "Darsteller: Nora Ek"],
        &[],
        "film: Four in the fog; directors: [Ilse Brandt]; starring: [Nora Ek]",
    ),
    (
        "Five at noon",
        &["Directed by Ilse Brandt", "In cinemas from Friday", "Starring Nora Ek and Jon Vale", "Grade: B+"],
        &[],
        "directors: [Ilse Brandt]; starring: [Nora Ek, Jon Vale]; rating: B+",
    ),
    // A line that says that there is nobody.
    (
        "Six oars",
        &["Directed by: Ilse Brandt", "Written by: N/A", "Starring: TBA"],
        &[],
        "film: Six oars; directors: [Ilse Brandt]",
    ),
    (
        "Seven oars",
        &["Director: Ilse Brandt", "Writer: n/a", "Cast: Unknown"],
        &[],
        "film: Seven oars; directors: [Ilse Brandt]",
    ),
    ("Eight oars", &["Director: TBC", "Writer: Tomas Rey", "Stars: none"], &[], "writers: [Tomas Rey]"),
    (
        "Nine oars",
        &["Regie: Ilse Brandt", "Drehbuch: k. A."],
        &[],
        "film: Nine oars; directors: [Ilse Brandt]",
    ),
    // Other languages.
    (
        "Zehn Briefe",
        &["Regie: Ilse Brandt", "Drehbuch: Tomas Rey", "Darsteller: Nora Ek, Jon Vale", "Wertung: 7/10"],
        &[],
        "film: Zehn Briefe; directors: [Ilse Brandt]; writers: [Tomas Rey]; starring: [Nora Ek, Jon Vale]; rating: 7/10",
    ),
    (
        "Onze lettres",
        &["Réalisé par Ilse Brandt", "Scénario : Tomas Rey", "Avec Nora Ek, Jon Vale", "Note : 14/20"],
        &[],
        "film: Onze lettres; directors: [Ilse Brandt]; writers: [Tomas Rey]; starring: [Nora Ek, Jon Vale]; rating: 14/20",
    ),
    (
        "Doce cartas",
        &["Dirección: Ilse Brandt", "Guion: Tomas Rey", "Reparto: Nora Ek, Jon Vale", "Nota: 7/10"],
        &[],
        "film: Doce cartas; directors: [Ilse Brandt]; writers: [Tomas Rey]; starring: [Nora Ek, Jon Vale]; rating: 7/10",
    ),
    (
        "Tredici lettere",
        &["Regia: Ilse Brandt", "Sceneggiatura: Tomas Rey", "Interpreti: Nora Ek, Jon Vale", "Voto: 7/10"],
        &[],
        "film: Tredici lettere; directors: [Ilse Brandt]; writers: [Tomas Rey]; starring: [Nora Ek, Jon Vale]; rating: 7/10",
    ),
    (
        "Catorze cartas",
        &["Realização: Ilse Brandt", "Argumento: Tomas Rey", "Elenco: Nora Ek, Jon Vale", "Nota: 8/10"],
        &[],
        "film: Catorze cartas; directors: [Ilse Brandt]; writers: [Tomas Rey]; starring: [Nora Ek, Jon Vale]; rating: 8/10",
    ),
    (
        "Vijftien brieven",
        &["Regie: Ilse Brandt", "Scenario: Tomas Rey", "Met: Nora Ek, Jon Vale"],
        &[],
        "film: Vijftien brieven; directors: [Ilse Brandt]; writers: [Tomas Rey]; starring: [Nora Ek, Jon Vale]",
    ),
    (
        "Sexton brev",
        &["Regi: Ilse Brandt", "Manus: Tomas Rey", "I rollerna: Nora Ek, Jon Vale", "Betyg: 4/5"],
        &[],
        "film: Sexton brev; directors: [Ilse Brandt]; writers: [Tomas Rey]; starring: [Nora Ek, Jon Vale]; rating: 4/5",
    ),
    (
        "Siedemnaście listów",
        &["Reżyseria: Ilse Brandt", "Scenariusz: Tomas Rey", "Obsada: Nora Ek, Jon Vale", "Ocena: 7/10"],
        &[],
        "film: Siedemnaście listów; directors: [Ilse Brandt]; writers: [Tomas Rey]; starring: [Nora Ek, Jon Vale]; rating: 7/10",
    ),
    // The film in the headline.
    ("Movie Review: Letter to Anna", &[], &[], "film: Letter to Anna"),
    ("Letter to Berta Review", &[], &[], "film: Letter to Berta"),
    ("REVIEW – Letter to Carla", &[], &[], "film: Letter to Carla"),
    ("Letter to Dora | Film Review", &[], &[], "film: Letter to Dora"),
    ("Letter to Emma (2009), Movie Review", &[], &[], "film: Letter to Emma; year: 2009"),
    ("Letter to Frida (2009): a postman at sea", &[], &[], "film: Letter to Frida; year: 2009"),
    ("Filmkritik: Letter to Gerda", &[], &[], "film: Letter to Gerda"),
    ("Critique : « Letter to Hanna »", &[], &[], "film: Letter to Hanna"),
    ("Letter to Ida – ★★★", &[], &[], "film: Letter to Ida; rating: ★★★"),
    ("TIFF Review: Letter to Jana", &[], &[], "film: Letter to Jana"),
    ("Recensione: Letter to Karla", &[], &[], "film: Letter to Karla"),
    ("The Year in Review", &[], &[], ""),
    // The rating as the last line.
    ("'Postman A' at sea", &[], &["Overall: 7/10"], "film: Postman A; rating: 7/10"),
    ("'Postman B' at sea", &[], &["Final Score: 7.5/10"], "film: Postman B; rating: 7.5/10"),
    ("'Postman C' at sea", &[], &["Stars: 3.5"], "film: Postman C; rating: 3.5 stars"),
    ("'Postman D' at sea", &[], &["Rating: 4/5 (recommended)"], "film: Postman D; rating: 4/5"),
    ("'Postman E' at sea", &[], &["★★★⯪☆"], "film: Postman E; rating: ★★★⯪☆"),
    ("'Postman F' at sea", &[], &["4 of 5 stars"], "film: Postman F; rating: 4 of 5 stars"),
    ("'Postman G' at sea", &[], &["Rating: **½ (out of ****)"], "film: Postman G; rating: ★★½ out of ★★★★"),
    ("'Postman H' at sea", &[], &["4/5 – Recommended"], "film: Postman H; rating: 4/5"),
    ("'Postman I' at sea", &[], &["<strong>Grade: A-</strong>"], "film: Postman I; rating: A-"),
    ("'Postman J' at sea", &[], &["Final Verdict: 8/10"], "film: Postman J; rating: 8/10"),
    ("'Postman K' at sea", &[], &["Rating: PG-13"], ""),
    // The rating before what the platform adds.
    (
        "Letter to Lena (2009) – Review",
        &[],
        &["<strong>Rating: 4 out of 5.</strong>", WORDPRESS],
        "film: Letter to Lena; year: 2009; rating: 4 out of 5",
    ),
    (
        "‘Letter to Maria’ — a review",
        &[],
        &["<strong>Rating: 3/5</strong>", MEDIUM],
        "film: Letter to Maria; rating: 3/5",
    ),
    (
        "'Letter to Nina' arrives",
        &[],
        &[
            "★★★½",
            "<a class=\"button primary\" href=\"https://row.substack.com/subscribe?\"><span>Subscribe now</span></a>",
        ],
        "film: Letter to Nina; rating: ★★★½",
    ),
    ("'Letter to Olga' arrives", &[], &["Rating: 6/10", "Related"], "film: Letter to Olga; rating: 6/10"),
    // Colons of full width.
    (
        "誰にも届かない手紙",
        &["監督：ブラント", "出演：エク、ヴァーレ", "★★★★☆"],
        &[],
        "film: 誰にも届かない手紙; directors: [ブラント]; starring: [エク, ヴァーレ]; rating: ★★★★☆",
    ),
    (
        "霧の上の水",
        &["監督：ブラント", "脚本：レイ"],
        &[],
        "film: 霧の上の水; directors: [ブラント]; writers: [レイ]",
    ),
    (
        "안개 위의 물",
        &["감독： 브란트", "출연： 엑, 발레"],
        &[],
        "film: 안개 위의 물; directors: [브란트]; starring: [엑, 발레]",
    ),
    (
        "正午の塩",
        &["監督・脚本：ブラント"],
        &[],
        "film: 正午の塩; directors: [ブラント]; writers: [ブラント]",
    ),
    (
        "Fog over water",
        &["Director： Ilse Brandt", "Stars： Nora Ek"],
        &[],
        "directors: [Ilse Brandt]; starring: [Nora Ek]",
    ),
    // Nothing is made of what is unclear.
    ("Five films that I saw this week", &["Best watched at night: always"], &[], ""),
];

const WORDPRESS: &str = "<div class=\"sharedaddy sd-sharing-enabled\"><h3 class=\"sd-title\">Share this:</h3></div>\
    <div id=\"jp-relatedposts\" class=\"jp-relatedposts\"><h3><em>Related</em></h3></div>\
    <p>The post <a href=\"LINK\">Letter to Lena</a> appeared first on <a href=\"https://remote.test/\">Row</a>.</p>";

const MEDIUM: &str = "<img src=\"https://medium.com/_/stat?event=post.clientViewed\" width=\"1\" height=\"1\" alt=\"\"><hr>\
    <p><a href=\"https://medium.com/p/1\">Letter to Maria</a> was originally published in <a href=\"https://medium.com/row\">\
    Row</a> on Medium, where people are continuing the conversation by highlighting and responding to this story.</p>";

fn review(number: usize, title: &str, before: &[&str], after: &[&str]) -> Item {
    let mut item = Item::old_review(&format!("Film {number}"));
    title.clone_into(&mut item.title);
    let paragraph =
        |text: &&str| if text.contains("<p>") { (*text).to_owned() } else { format!("<p>{text}</p>") };
    let part = |texts: &[&str]| texts.iter().map(paragraph).collect::<String>();
    // No two share most of their words.
    let words = (0..40).map(|word| format!("rowing{}", number * 40 + word)).collect::<Vec<_>>().join(" ");
    let prose =
        format!("<p>A postman rows to an island where nobody writes, and it takes him all of {words}.</p>");
    item.html = (part(before) + &prose + &part(after)).replace("LINK", &item.link);
    item
}

async fn films_credits_and_ratings_are_read_as_critics_write_them(database: Database) {
    let numbered = REVIEWS.iter().enumerate();
    let items: Vec<Item> =
        numbered.map(|(number, (title, before, after, _))| review(number, title, before, after)).collect();
    let fixture = fixture_with_feed(database, &items, "").await;
    let list = fixture.app.command_output(&["review", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&list).expect("JSON");
    let listed = listed.as_array().expect("a list");
    assert_eq!(listed.len(), REVIEWS.len());
    let mut wrong = Vec::new();
    for (number, (title, _, _, expected)) in REVIEWS.iter().enumerate() {
        let is_it = |review: &&Value| {
            review["title"].as_str().is_some_and(|listed| listed == *title || listed.starts_with(title))
        };
        let slug = listed.iter().find(is_it).and_then(|review| review["slug"].as_str()).expect(title);
        let shown = fixture.app.command_output(&["review", "show", slug]).await.replace('"', "");
        let front = shown.split("\n---\n").next().unwrap_or_default();
        let is_compared = |line: &&str| line.split_once(": ").is_some_and(|(key, _)| KEYS.contains(&key));
        let read: Vec<&str> = front.lines().filter(is_compared).collect();
        if read.join("; ") != *expected {
            wrong.push(format!("{number} {title}: {read:?} instead of {expected}"));
        }
        for text in ["appeared first", "originally published", "Subscribe now", "Share this"] {
            assert!(!shown.contains(text), "{title}: {shown}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
