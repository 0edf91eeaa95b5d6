# The German texts of a site's pages: the messages of en.ftl, in the same order.

## All pages

direction = ltr
skip = Zum Inhalt springen
site-navigation = Website
all-reviews = Alle Kritiken
runs-on = { $site } läuft mit Marquee, freier Software, die Kritikern ein Zuhause im Fediverse gibt.
untitled = Ohne Titel
source = Quelltext
follow-by-feed = Feeds:

## Support

support = Unterstützen
support-tip = Trinkgeld geben
support-pledge = Monatlich unterstützen
support-subscribe = Abonnieren
support-podcast = Podcast hören
support-other = Anderswo

## Dates

month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember
month-short-1 = Jan.
month-short-2 = Feb.
month-short-3 = März
month-short-4 = Apr.
month-short-5 = Mai
month-short-6 = Juni
month-short-7 = Juli
month-short-8 = Aug.
month-short-9 = Sept.
month-short-10 = Okt.
month-short-11 = Nov.
month-short-12 = Dez.
date = { $day }. { $month } { $year }
date-in-year = { $day }. { $month }
date-and-time = { $date }, { $time } Uhr

## Counts

reviews =
    { $count ->
        [one] { $count } Kritik
       *[other] { $count } Kritiken
    }
comments =
    { $count ->
        [one] { $count } Kommentar
       *[other] { $count } Kommentare
    }
likes =
    { $count ->
        [one] { $count } Like
       *[other] { $count } Likes
    }
boosts =
    { $count ->
        [one] { $count } Boost
       *[other] { $count } Boosts
    }
minutes = { $count } Min. Lesezeit

## Lists of reviews

by = von { $critic }
empty-shelf = Hier gibt es noch keine Kritiken.
tagged = Kritiken mit dem Schlagwort
pages = Seiten
newer = ← Neuere
older = Ältere →
page-of = Seite { $page } von { $pages }

## Archive, indexes and search

archive = Archiv
browse = Stöbern
years = Jahre
roles = Rollen
letters = Buchstaben
index-films = Filme
index-people = Personen
index-tags = Schlagwörter
count-films =
    { $count ->
        [one] { $count } Film
       *[other] { $count } Filme
    }
count-people =
    { $count ->
        [one] { $count } Person
       *[other] { $count } Personen
    }
count-tags =
    { $count ->
        [one] { $count } Schlagwort
       *[other] { $count } Schlagwörter
    }
reviews-of-year = Kritiken von { $year }
page-before = ← Zurück
page-after = Weiter →
year-before = Voriges Jahr →
year-after = ← Nächstes Jahr
rated = Kritiken mit der Wertung
reviews-rated = Kritiken mit der Wertung { $rating }
reviews-of-it = Kritiken zu diesem Film
every-review = Alle Kritiken zu Filmen, an denen { $person } mitgewirkt hat.
every-review-director = Alle Kritiken zu Filmen, bei denen { $person } Regie geführt hat.
every-review-writer = Alle Kritiken zu Filmen, deren Drehbuch { $person } geschrieben hat.
every-review-star = Alle Kritiken zu Filmen mit { $person }.
role-any = Alle ({ $count })
role-director = Regie ({ $count })
role-writer = Drehbuch ({ $count })
role-star = Besetzung ({ $count })
by-year = Nach Jahr der Kritik
by-rating = Nach Wertung
by-person = Nach Person
by-tag = Nach Schlagwort
all-people = Alle Personen von A bis Z
all-tags = Alle Schlagwörter
more-on-film = Mehr zu diesem Film
more-by-director = Weitere Filme von { $person }
search = Suche
search-in = { $site } durchsuchen
search-for = Suche: { $query }
search-words = Alle Kritiken durchsuchen
search-filters = Filter
search-hint = Suche nach Filmen, Personen oder beliebigen Wörtern. Die Treffer enthalten alle Begriffe.
search-too-long = Diese Suche ist zu lang. Höchstens { $longest } Zeichen sind möglich.
search-no-word = Bitte gib mindestens ein Wort ein.
filter-any = Beliebig
filter-none = Filter löschen
filter-rating = Mindestwertung
filter-year = Jahr der Kritik
filter-person = Besetzung oder Stab
filter-tag = Schlagwort
filter-critic = Kritiker
found =
    { $count ->
        [one] { $count } Kritik gefunden
       *[other] { $count } Kritiken gefunden
    }
found-more = Mehr als { $count } Kritiken gefunden
found-nothing = Nichts gefunden
found-nothing-advice = Versuche es mit weniger oder anderen Wörtern.

## The front page

new-reviews = Neue Kritiken
no-review-yet = Noch keine Kritiken
first-review = Die erste Kritik wird hier erscheinen.
all-of-them =
    { $count ->
        [one] Die einzige Kritik
       *[other] Alle { $count } Kritiken
    }
who-writes = Wer hier schreibt

## The page of a review

written-by = Von { $critic }
revised = überarbeitet am { $date }
spoilers = Diese Kritik enthält Spoiler.
the-film = Über den Film
directed-by = Regie
screenplay-by = Drehbuch
starring = Darsteller
released = Kinostart
film-at = Dieser Film auf { $host }
table = Tabelle
poster-of-film = Filmplakat
poster-of = Plakat zu „{ $film }“
tags = Schlagwörter
also-published-at = Auch erschienen auf { $place }
about-critic = Über { $critic }
card-of-review = „{ $title }“, eine Kritik von { $critic }
more-reviews = Weitere Kritiken
before-this = Vorige Kritik
after-this = Nächste Kritik

## Ratings, as read out by screen readers

rating = Wertung: { $rating }
rating-half = 0,5 von 5 Sternen
rating-halves = { $count },5 von 5 Sternen
rating-stars = { $count } von 5 Sternen
rating-points = { $points } von { $most }

## Comments

comments-title = Kommentare
critic-mark = schreibt hier
edited = bearbeitet am { $date }
answers = als Antwort auf { $whom }
a-deleted-comment = einen gelöschten Kommentar
a-removed-comment = einen entfernten Kommentar
a-hidden-comment = einen ausgeblendeten Kommentar
comment-original = Original
comment-at = Original auf { $host }
attached-image = ein Bild
attached-video = ein Video
attached-audio = eine Tonaufnahme
attached-file = eine Datei
attached-post = ein Beitrag
content-warning = Inhaltswarnung:
comment-deleted = Dieser Kommentar wurde von seinem Autor gelöscht.
comment-hidden = Dieser Kommentar wurde von der Redaktion ausgeblendet.
comment-removed = Dieser Kommentar wurde von der Redaktion entfernt.
comment-withheld = Dieser Kommentar ist nicht verfügbar.
join-in = Mitreden
be-the-first = Noch keine Kommentare. Schreib den ersten.
how-to-join = Du brauchst hier kein Konto. Antworte von deinem eigenen Server aus, und deine öffentliche Antwort erscheint auf dieser Seite.
copy-address = Oder füge diese Adresse in die Suche deines Servers ein und antworte auf den Beitrag, den sie findet.
address-of-review = Adresse dieser Kritik
trial = Dies ist eine Testseite auf einem einzelnen Rechner. Andere Server können sie noch nicht erreichen.
# Rund um eine Kritik: jede Angabe ist eine von mehreren in einer Zeile.
reads =
    { $count ->
        [one] { $count }-mal gelesen
       *[other] { $count }-mal gelesen
    }
seen-by =
    { $count ->
        [one] auf { $count } Server gesehen
       *[other] auf { $count } Servern gesehen
    }
who-likes-or-boosts = Wem das gefällt und wer es geteilt hat
likes-it = { $who } gefällt das
boosts-it = { $who } hat das geteilt
likes-and-boosts-it = { $who } gefällt das und hat es geteilt
others =
    { $count ->
        [one] + { $count } weitere
       *[other] + { $count } weitere
    }
orders = Kommentare sortieren
order-oldest = Älteste zuerst
order-newest = Neueste zuerst
order-answered = Meiste Antworten
read-on = Weiterlesen
more-by =
    { $count ->
        [one] { $count } weiterer von { $author }
       *[other] { $count } weitere von { $author }
    }
more-by-several =
    { $count ->
        [one] { $count } weiterer von { $author } und anderen
       *[other] { $count } weitere von { $author } und anderen
    }
comments-before = ← Vorige Kommentare
comments-after = Weitere Kommentare →
comment-by = Kommentar von { $author }
comment-on = zu { $review }
back-to-conversation = In der Diskussion zeigen
newest-left-out =
    { $count ->
        [one] { $count } neuerer Kommentar ist nicht auf dieser Seite: neueste zuerst zeigen
       *[other] { $count } neuere Kommentare sind nicht auf dieser Seite: neueste zuerst zeigen
    }
oldest-left-out =
    { $count ->
        [one] { $count } älterer Kommentar ist nicht auf dieser Seite: älteste zuerst zeigen
       *[other] { $count } ältere Kommentare sind nicht auf dieser Seite: älteste zuerst zeigen
    }
new-comments =
    { $count ->
        [one] { $count } neuer Kommentar
       *[other] { $count } neue Kommentare
    }
copy = Kopieren
copied = Kopiert

## From the reader's own server

your-handle = Dein Profilname oder Server auf Mastodon oder anderswo im Fediverse
handle-example = @du@dein.server
follow = Folgen
reply = Antworten
like = Gefällt mir
boost = Teilen
copy-handle = Oder füge diesen Profilnamen in die Suche deines Servers ein.
handle-to-follow = Profilname zum Folgen
elsewhere = Anderswo
from-your-server = Von deinem Server aus
follow-critic = { $critic } folgen
join-from-your-server = Von deinem Server aus mitreden
copy-this-handle = Oder füge diesen Profilnamen in die Suche deines Servers ein:
copy-this-address = Oder füge diese Adresse in die Suche deines Servers ein:
back-to-critic = Zurück zu { $critic }
back-to-review = Zurück zur Kritik
not-a-handle = Das ist weder ein Profilname noch ein Server. Ein Profilname sieht so aus: { handle-example }.
forget-me = Auf diesem Gerät vergessen
server-does-not-answer = { $host } antwortet nicht. Prüfe die Schreibweise oder versuche es später noch einmal.
server-knows-nobody = Dieses Konto gibt es auf { $host } nicht. Prüfe die Schreibweise.
server-names-no-page = { $host } unterstützt das nicht. Füge stattdessen die Adresse unten in die Suche dort ein.

## Feeds

feed-about = Kritiken aus { $title }, die neuesten zuerst.

## Errors

to-newest = Neueste Kritiken
error-not-found = Seite nicht gefunden
error-not-found-advice = Prüfe die Adresse oder sieh in der Liste aller Kritiken nach.
error-gone = Diese Seite gibt es nicht mehr
error-gone-advice = Sie wurde von der Redaktion entfernt.
error-bad-request = Ungültige Anfrage
error-bad-request-advice = Prüfe die Adresse, oder geh zurück und versuche es noch einmal.
error-forbidden = Das ist nicht erlaubt
error-forbidden-advice = Geh zurück auf die Seite und schicke das Formular von dort ab.
error-too-large = Diese Anfrage ist zu groß
error-too-large-advice = Schicke weniger und versuche es noch einmal.
error-too-many = Zu viele Anfragen
error-too-many-advice = Versuche es in einer Minute noch einmal.
error-internal = Etwas ist schiefgegangen
error-internal-advice = Der Fehler wurde protokolliert. Versuche es später noch einmal.
error-unavailable = Vorübergehend nicht verfügbar
error-unavailable-advice = Versuche es in einer Minute noch einmal.
