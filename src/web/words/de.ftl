# What the pages of a site say in German: the messages of en.ftl, in the same order.

## All pages

direction = ltr
skip = Zum Inhalt springen
site-navigation = Website
all-reviews = Alle Kritiken
runs-on = { $site } läuft mit Marquee, freier Software, die Kritikern ein Zuhause im Fediverse gibt.
untitled = Ohne Titel
source = Quelltext
follow-by-feed = Auch als Feed:

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
empty-shelf = Hier steht noch keine Kritik.
tagged = Kritiken mit dem Schlagwort
pages = Seiten
newer = ← Neuere
older = Ältere →
page-of = Seite { $page } von { $pages }

## The archive and the search

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
year-before = Das Jahr davor →
year-after = ← Das Jahr danach
rated = Kritiken mit der Wertung
reviews-rated = Kritiken mit der Wertung { $rating }
reviews-of-it = Kritiken dazu
every-review = Alle Kritiken hier zu Filmen, an denen { $person } mitgewirkt hat.
every-review-director = Alle Kritiken hier zu Filmen, bei denen { $person } Regie geführt hat.
every-review-writer = Alle Kritiken hier zu Filmen, deren Drehbuch { $person } geschrieben hat.
every-review-star = Alle Kritiken hier zu Filmen mit { $person }.
role-any = Alle ({ $count })
role-director = Regie ({ $count })
role-writer = Drehbuch ({ $count })
role-star = Vor der Kamera ({ $count })
by-year = Nach dem Jahr, in dem sie geschrieben wurden
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
search-words = Wörter, die in allen Kritiken gesucht werden
search-filters = Filter
search-hint = Suche nach Filmen, Personen oder beliebigen Wörtern. Gefunden wird, was sie alle enthält.
search-too-long = Das ist zu lang für eine Suche. { $longest } Zeichen genügen.
search-no-word = Bitte schreibe mindestens ein Wort.
filter-any = Beliebig
filter-none = Filter löschen
filter-rating = Mindestens
filter-year = Geschrieben im Jahr
filter-person = Mit oder von
filter-tag = Schlagwort
filter-critic = Kritiker
found =
    { $count ->
        [one] { $count } Kritik gefunden
       *[other] { $count } Kritiken gefunden
    }
found-more = Mehr als { $count } Kritiken gefunden
found-nothing = Nichts gefunden
found-nothing-advice = Versuche es mit weniger oder mit anderen Wörtern.

## The front page

new-reviews = Neue Kritiken
no-review-yet = Noch keine Kritik
first-review = Die erste wird hier stehen.
all-of-them =
    { $count ->
        [one] Die eine Kritik
       *[other] Alle { $count } Kritiken
    }
who-writes = Wer hier schreibt

## A review

written-by = Von { $critic }
revised = überarbeitet am { $date }
the-film = Der Film
directed-by = Regie
screenplay-by = Drehbuch
starring = Darsteller
released = Kinostart
film-at = Der Film bei { $host }
table = Tabelle
poster-of-film = Filmplakat
poster-of = Plakat zu „{ $film }“
tags = Schlagwörter
also-published-at = Auch erschienen bei { $place }
about-critic = Über { $critic }
card-of-review = „{ $title }“, eine Kritik von { $critic }
more-reviews = Weitere Kritiken
before-this = Davor
after-this = Danach

## Ratings, as a screen reader says them

rating = Wertung: { $rating }
rating-half = ein halber Stern von fünf
rating-halves =
    { $count ->
        [one] eineinhalb Sterne von fünf
       *[other] { $count } und ein halber Stern von fünf
    }
rating-stars =
    { $count ->
        [one] ein Stern von fünf
       *[other] { $count } Sterne von fünf
    }
rating-points = { $points } von { $most }

## The conversation

comments-title = Kommentare
critic-mark = schreibt hier
edited = bearbeitet am { $date }
answers = an { $whom }
a-deleted-comment = einen gelöschten Kommentar
a-removed-comment = einen entfernten Kommentar
a-hidden-comment = einen verborgenen Kommentar
comment-original = Original
comment-at = Original auf { $host }
content-warning = Inhaltswarnung:
comment-deleted = Dieser Kommentar wurde von seinem Autor gelöscht.
comment-hidden = Dieser Kommentar wurde von der Redaktion verborgen.
comment-removed = Dieser Kommentar wurde von der Redaktion entfernt.
comment-withheld = Dieser Kommentar wird nicht gezeigt.
join-in = Mitreden
be-the-first = Noch hat niemand geantwortet. Mach den Anfang.
how-to-join = Du brauchst hier kein Konto: Antworte von deinem eigenen Server aus, und deine öffentliche Antwort erscheint auf dieser Seite.
copy-address = Oder kopiere diese Adresse in die Suche deines Servers und antworte auf das, was sie findet.
address-of-review = Adresse dieser Kritik
trial = Diese Website ist ein Versuch auf einem einzelnen Rechner: Andere Server erreichen sie noch nicht.
# Was die Seite von anderen erzählt: jede Zahl ist eine von mehreren in einer Zeile.
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
who-likes-or-boosts = Wem das gefällt und wer es geboostet hat
likes-it = { $who } gefällt das
boosts-it = { $who } hat das geboostet
likes-and-boosts-it = { $who } gefällt das und hat es geboostet
others =
    { $count ->
        [one] + { $count } weitere
       *[other] + { $count } weitere
    }
orders = Reihenfolge der Kommentare
order-oldest = Älteste zuerst
order-newest = Neueste zuerst
order-answered = Meistbeantwortete
newest-left-out =
    { $count ->
        [one] der neueste fehlt auf dieser Seite: zuerst zeigen
       *[other] die { $count } neuesten fehlen auf dieser Seite: zuerst zeigen
    }
oldest-left-out =
    { $count ->
        [one] der älteste fehlt auf dieser Seite: zuerst zeigen
       *[other] die { $count } ältesten fehlen auf dieser Seite: zuerst zeigen
    }
new-comments =
    { $count ->
        [one] { $count } neuer Kommentar
       *[other] { $count } neue Kommentare
    }
copy = Kopieren
copied = Kopiert

## From the reader's own server

your-handle = Dein Name oder dein Server, auf Mastodon oder anderswo im Fediverse
handle-example = @du@dein.server
follow = Folgen
reply = Antworten
like = Gefällt mir
boost = Teilen
copy-handle = Oder kopiere diesen Namen in die Suche deines Servers.
handle-to-follow = Name zum Folgen
elsewhere = Anderswo
from-your-server = Von deinem Server aus
follow-critic = { $critic } folgen
join-from-your-server = Von deinem Server aus mitreden
copy-this-handle = Oder kopiere diesen Namen in die Suche deines Servers:
copy-this-address = Oder kopiere diese Adresse in die Suche deines Servers:
back-to-critic = Zurück zu { $critic }
back-to-review = Zurück zur Kritik
not-a-handle = Das ist weder ein Name im Fediverse noch ein Server. Ein Name sieht aus wie { handle-example }.
forget-me = Auf diesem Gerät vergessen
server-does-not-answer = { $host } antwortet nicht. Ist der Name richtig geschrieben?
server-knows-nobody = { $host } kennt niemanden dieses Namens. Ist er richtig geschrieben?
server-names-no-page = { $host } sagt nicht, wo das geht. Kopiere stattdessen die Adresse unten in die Suche dort.

## Feeds

feed-about = Die Kritiken von { $title }, die neueste zuerst.

## Errors

to-newest = Zu den neuesten Kritiken
error-not-found = Hier ist nichts
error-not-found-advice = Vielleicht ist die Adresse falsch geschrieben. Die Liste aller Kritiken führt zu jeder von ihnen.
error-gone = Das gibt es nicht mehr
error-gone-advice = Die Kritik wurde zurückgezogen.
error-bad-request = Diese Anfrage ist nicht zu lesen
error-bad-request-advice = Bitte prüfe die Adresse, oder geh zurück und versuche es noch einmal.
error-forbidden = Das ist nicht erlaubt
error-forbidden-advice = Bitte geh zurück auf die Seite und schicke ihr Formular von dort.
error-too-large = Das ist zu groß
error-too-large-advice = Bitte schicke weniger.
error-too-many = Zu viele Anfragen auf einmal
error-too-many-advice = Bitte versuche es in einer Minute noch einmal.
error-unavailable = Hier ist etwas schiefgegangen
error-unavailable-advice = Bitte versuche es in einer Minute noch einmal.
