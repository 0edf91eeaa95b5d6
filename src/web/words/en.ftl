# What the pages of a site say in English, by page. A text in braces comes from the site.
# A file `words.ftl` in the folder of a site's own templates replaces what it names.

## All pages

# ltr, or rtl where the language runs from right to left.
direction = ltr
skip = Skip to the content
site-navigation = Site
all-reviews = All reviews
runs-on = { $site } runs on Marquee, free software that gives critics a home on the fediverse.
untitled = Untitled
source = Its source
follow-by-feed = Also by feed:

## Support

support = Support
support-tip = Leave a tip
support-pledge = Pledge monthly support
support-subscribe = Subscribe
support-podcast = Listen to the podcast
support-other = Elsewhere

## Dates

month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
month-short-1 = Jan
month-short-2 = Feb
month-short-3 = Mar
month-short-4 = Apr
month-short-5 = May
month-short-6 = Jun
month-short-7 = Jul
month-short-8 = Aug
month-short-9 = Sep
month-short-10 = Oct
month-short-11 = Nov
month-short-12 = Dec
date = { $day } { $month } { $year }
date-in-year = { $day } { $month }
date-and-time = { $date }, { $time }

## Counts

reviews =
    { $count ->
        [one] { $count } review
       *[other] { $count } reviews
    }
comments =
    { $count ->
        [one] { $count } comment
       *[other] { $count } comments
    }
likes =
    { $count ->
        [one] { $count } like
       *[other] { $count } likes
    }
boosts =
    { $count ->
        [one] { $count } boost
       *[other] { $count } boosts
    }
minutes = { $count } min read

## Lists of reviews

by = by { $critic }
empty-shelf = There is no review here yet.
# Before a tag, for screen readers.
tagged = Reviews tagged
pages = Pages
newer = ← Newer
older = Older →
page-of = Page { $page } of { $pages }

## The archive and the search

archive = Archive
browse = Browse
years = Years
roles = Roles
letters = Letters
index-films = Films
index-people = People
index-tags = Tags
count-films =
    { $count ->
        [one] { $count } film
       *[other] { $count } films
    }
count-people =
    { $count ->
        [one] { $count } person
       *[other] { $count } people
    }
count-tags =
    { $count ->
        [one] { $count } tag
       *[other] { $count } tags
    }
reviews-of-year = Reviews from { $year }
page-before = ← Back
page-after = More →
year-before = The year before →
year-after = ← The year after
# Before a rating, for screen readers.
rated = Reviews rated
reviews-rated = Reviews rated { $rating }
reviews-of-it = Reviews of it
every-review = Every review here of a film that { $person } made or plays in.
every-review-director = Every review here of a film that { $person } directed.
every-review-writer = Every review here of a film that { $person } wrote.
every-review-star = Every review here of a film with { $person }.
role-any = All ({ $count })
role-director = As director ({ $count })
role-writer = As writer ({ $count })
role-star = On screen ({ $count })
by-year = By year of writing
by-rating = By rating
by-person = By person
by-tag = By tag
all-people = All people, from A to Z
all-tags = All tags
more-on-film = More on this film
more-by-director = More films by { $person }
search = Search
search-in = Search { $site }
search-for = Search: { $query }
search-words = Words to look for in all reviews
search-filters = Filters
search-hint = Look for films, people or any words. A review is found that has all of them.
search-too-long = This is too long for a search. { $longest } characters are enough.
search-no-word = Please write at least one word.
filter-any = Any
filter-none = Clear the filters
filter-rating = At least
filter-year = Written in
filter-person = With or by
filter-tag = Tag
filter-critic = Critic
found =
    { $count ->
        [one] { $count } review found
       *[other] { $count } reviews found
    }
found-more = More than { $count } reviews found
found-nothing = Nothing found
found-nothing-advice = Try fewer words, or other ones.

## The front page

new-reviews = New reviews
no-review-yet = No review yet
first-review = The first one will stand here.
all-of-them =
    { $count ->
        [one] The one review
       *[other] All { $count } reviews
    }
who-writes = Who writes here

## A review

written-by = By { $critic }
revised = revised { $date }
the-film = The film
directed-by = Directed by
screenplay-by = Written by
starring = Starring
released = Released
film-at = The film at { $host }
table = Table
poster-of-film = Poster of the film
poster-of = Poster of { $film }
tags = Tags
also-published-at = Also published at { $place }
about-critic = About { $critic }
# What the picture of a review without a poster says, for those who cannot see it.
card-of-review = “{ $title }”, a review by { $critic }
more-reviews = More reviews
before-this = Before this
after-this = After this

## Ratings, as a screen reader says them

rating = Rating: { $rating }
rating-half = half a star out of five
rating-halves =
    { $count ->
        [one] { $count } and a half stars out of five
       *[other] { $count } and a half stars out of five
    }
rating-stars =
    { $count ->
        [one] { $count } star out of five
       *[other] { $count } stars out of five
    }
rating-points = { $points } out of { $most }

## The conversation

comments-title = Comments
critic-mark = critic
edited = edited { $date }
answers = to { $whom }
a-deleted-comment = a deleted comment
a-removed-comment = a removed comment
a-hidden-comment = a hidden comment
comment-original = original
comment-at = original on { $host }
content-warning = Content warning:
comment-deleted = This comment was deleted by its author.
comment-hidden = This comment was hidden by the critic.
comment-removed = This comment was removed by the critic.
comment-withheld = This comment is not shown.
join-in = Join in
be-the-first = Nobody has answered yet. Be the first.
how-to-join = You need no account here: reply from your own server, and your public reply appears on this page.
copy-address = Or copy this address into the search box of your server, and reply to what it finds.
address-of-review = Address of this review
trial = This site is a trial on one machine: other servers cannot reach it yet.
# What a reader's page tells of others: each of these is one of several numbers in a line.
reads =
    { $count ->
        [one] { $count } read
       *[other] { $count } reads
    }
seen-by =
    { $count ->
        [one] seen by { $count } server
       *[other] seen by { $count } servers
    }
who-likes-or-boosts = Who likes or boosts this
likes-it = { $who } likes this
boosts-it = { $who } boosted this
likes-and-boosts-it = { $who } likes and boosted this
others =
    { $count ->
        [one] + { $count } more
       *[other] + { $count } more
    }
orders = Order of the comments
order-oldest = Oldest first
order-newest = Newest first
order-answered = Most answered
newest-left-out =
    { $count ->
        [one] the newest one is not on this page: show it first
       *[other] the newest { $count } are not on this page: show them first
    }
oldest-left-out =
    { $count ->
        [one] the oldest one is not on this page: show it first
       *[other] the oldest { $count } are not on this page: show them first
    }
new-comments =
    { $count ->
        [one] { $count } new comment
       *[other] { $count } new comments
    }
copy = Copy
copied = Copied

## From the reader's own server

your-handle = Your handle or your server, on Mastodon or anywhere else in the fediverse
handle-example = @you@your.server
follow = Follow
reply = Reply
like = Like
boost = Boost
copy-handle = Or copy this handle into the search box of your server.
handle-to-follow = Handle to follow
elsewhere = Elsewhere
from-your-server = From your own server
follow-critic = Follow { $critic }
join-from-your-server = Join in from your own server
copy-this-handle = Or copy this handle into the search box of your server:
copy-this-address = Or copy this address into the search box of your server:
back-to-critic = Back to { $critic }
back-to-review = Back to the review
not-a-handle = This is not a handle, nor a server. A handle looks like { handle-example }.
forget-me = Forget this on my device
server-does-not-answer = { $host } does not answer. Is it written correctly?
server-knows-nobody = { $host } knows nobody of that name. Is it written correctly?
server-names-no-page = { $host } does not say where to do this. Copy the address below into its search box instead.

## Feeds

feed-about = The reviews of { $title }, the newest first.

## Errors

to-newest = To the newest reviews
error-not-found = There is nothing here
error-not-found-advice = The address may be mistyped. The list of all reviews leads to every one of them.
error-gone = This is gone
error-gone-advice = The critic took it back.
error-bad-request = This request cannot be read
error-bad-request-advice = Please check the address, or go back and try again.
error-forbidden = This is not allowed
error-forbidden-advice = Please go back to the page and send its form from there.
error-too-large = This is too large
error-too-large-advice = Please send less.
error-too-many = Too many requests at once
error-too-many-advice = Please try again in a minute.
error-unavailable = Something went wrong here
error-unavailable-advice = Please try again in a minute.
