//! The language of a review: its entry's, else the feed's, else the site's, unless its text is plainly in another one.

use crate::both_databases;
use crate::end_to_end::{fixture_with_feed, is_about};
use crate::support::Database;
use crate::support::feed::Item;

both_databases!(a_text_that_is_plainly_in_another_language_is_published_as_such);

const GERMAN: &str = "<p>Der Film beginnt mit einer langen Fahrt durch die Stadt, und niemand sagt ein Wort. Erst als der Regen \
    aufhört, spricht die Mutter, und was sie sagt, verändert alles, was wir bis dahin gesehen haben. Es ist ein Werk, das Geduld \
    verlangt und sie belohnt. Die Kamera bleibt bei den Gesichtern, auch wenn das Haus schon leer ist, und am Ende weiß man nicht, wer \
    hier eigentlich gegangen ist und wer geblieben. So entsteht aus lauter kleinen Gesten eine Trauer, die nicht benannt werden muss, \
    und eine Heiterkeit, die man erst auf dem Heimweg bemerkt.</p>";

const ALSO_GERMAN: &str = "<p>Zwei Schwestern fahren ans Meer, um das Boot ihres Vaters zu verkaufen, und streiten sich     unterwegs über jede Kleinigkeit. Das klingt nach einem Lustspiel, doch der Regisseur erzählt davon mit großem Ernst. Wenn die     jüngere Schwester schließlich allein im Hafen steht, hört man nur noch den Wind, und das genügt vollkommen. Selten hat ein     Erstling so wenig erklärt und so viel gezeigt.</p>";

fn german(film: &str, html: &str) -> Item {
    Item { html: html.to_owned(), ..Item::review(film) }
}

async fn a_text_that_is_plainly_in_another_language_is_published_as_such(database: Database) {
    let mut items = vec![german("Alpha", GERMAN), Item::review("Gamma")];
    let fixture = fixture_with_feed(database, &items, "publish_since = \"2000-01-01\"").await;
    fixture.follow(&fixture.alice).await;
    items.insert(0, german("Beta", ALSO_GERMAN));
    fixture.remote.serve_feed(&items);
    fixture.poll().await;
    for (film, language) in [("Alpha", "de"), ("Beta", "de"), ("Gamma", "en")] {
        let article = fixture.await_article(|article| is_about(article, film)).await;
        let languages: Vec<&String> = article["contentMap"].as_object().expect("a map").keys().collect();
        assert_eq!(languages, [language], "{film}");
    }
    fixture.poll().await;
    fixture.settle().await;
    let log = fixture.app.feed_log().await;
    let noticed: Vec<&String> =
        log.iter().filter(|line| line.contains("; its language is de, although")).collect();
    assert_eq!(noticed.len(), 2, "the log says so with each of them: {log:?}");
    assert!(noticed.iter().all(|line| line.contains(" published ")), "{noticed:?}");
    assert!(fixture.remote.distinct_activities("Update").is_empty(), "nothing is revised for it");
}
