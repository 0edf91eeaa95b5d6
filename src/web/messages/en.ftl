# The English text of a site's pages, grouped by page. Values in braces are filled in by the server.
# To override messages, put them into `words.ftl` in the folder set by `looks.folder`.

## All pages

# ltr, or rtl for languages written from right to left.
direction = ltr
skip = Skip to content
site-navigation = Site
all-reviews = All reviews
runs-on = { $site } runs on Marquee, free software that gives critics a home on the fediverse.
untitled = Untitled
source = Source code
follow-by-feed = Feeds:

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
empty-shelf = No reviews here yet.
# Read out before a tag by screen readers.
tagged = Reviews tagged
pages = Pages
newer = ← Newer
older = Older →
page-of = Page { $page } of { $pages }

## Archive, indexes and search

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
page-before = ← Previous
page-after = Next →
year-before = Previous year →
year-after = ← Next year
# Read out before a rating by screen readers.
rated = Reviews rated
reviews-rated = Reviews rated { $rating }
reviews-of-it = Reviews of this film
every-review = All reviews of films that { $person } worked on.
every-review-director = All reviews of films directed by { $person }.
every-review-writer = All reviews of films written by { $person }.
every-review-star = All reviews of films starring { $person }.
role-any = All ({ $count })
role-director = Director ({ $count })
role-writer = Writer ({ $count })
role-star = Actor ({ $count })
by-year = By year of review
by-rating = By rating
by-person = By person
by-tag = By tag
all-people = All people, A–Z
all-tags = All tags
more-on-film = More on this film
more-by-director = More films by { $person }
search = Search
search-in = Search { $site }
search-for = Search: { $query }
search-words = Search all reviews
search-filters = Filters
search-hint = Search for films, people or any words. Results contain all the words you enter.
search-too-long = This search is too long. Use at most { $longest } characters.
search-no-word = Enter at least one word.
filter-any = Any
filter-none = Clear filters
filter-rating = Minimum rating
filter-year = Year of review
filter-person = Cast or crew
filter-tag = Tag
filter-critic = Critic
found =
    { $count ->
        [one] { $count } review found
       *[other] { $count } reviews found
    }
found-more = More than { $count } reviews found
found-nothing = Nothing found
found-nothing-advice = Try fewer or different words.

## The front page

new-reviews = New reviews
no-review-yet = No reviews yet
first-review = The first review will appear here.
all-of-them =
    { $count ->
        [one] 1 review
       *[other] All { $count } reviews
    }
who-writes = Critics

## The page of a review

written-by = By { $critic }
revised = revised { $date }
spoilers = This review contains spoilers.
the-film = About the film
directed-by = Directed by
screenplay-by = Written by
starring = Starring
released = Released
film-at = This film on { $host }
table = Table
poster-of-film = Poster of the film
poster-of = Poster of { $film }
tags = Tags
also-published-at = Also published on { $place }
about-critic = About { $critic }
# Alternative text of the preview card that is drawn for a review without a poster.
card-of-review = “{ $title }”, a review by { $critic }
more-reviews = More reviews
before-this = Previous review
after-this = Next review

## Ratings, as read out by screen readers

rating = Rating: { $rating }
rating-half = 0.5 out of 5 stars
# The count is the number of whole stars.
rating-halves = { $count }.5 out of 5 stars
rating-stars = { $count } out of 5 stars
rating-points = { $points } out of { $most }

## Comments

comments-title = Comments
critic-mark = critic
edited = edited { $date }
answers = in reply to { $whom }
a-deleted-comment = a deleted comment
a-removed-comment = a removed comment
a-hidden-comment = a hidden comment
comment-original = original
comment-at = original on { $host }
attached-image = a picture
attached-video = a video
attached-audio = a sound
attached-file = a file
attached-post = a post
content-warning = Content warning:
comment-deleted = This comment was deleted by its author.
comment-hidden = This comment was hidden by the critic.
comment-removed = This comment was removed by the critic.
comment-withheld = This comment is not available.
join-in = Join the conversation
be-the-first = No comments yet. Be the first to reply.
how-to-join = You don’t need an account here. Reply from your own server, and your public reply will appear on this page.
copy-address = Or paste this address into your server’s search box and reply to the post it finds.
address-of-review = Address of this review
trial = This is a trial site on a single machine. Other servers cannot reach it yet.
# Each of these is one of several numbers on a line.
reads =
    { $count ->
        [one] { $count } read
       *[other] { $count } reads
    }
seen-by =
    { $count ->
        [one] seen on { $count } server
       *[other] seen on { $count } servers
    }
who-likes-or-boosts = Liked or boosted by
likes-it = { $who } liked this
boosts-it = { $who } boosted this
likes-and-boosts-it = { $who } liked and boosted this
others =
    { $count ->
        [one] + { $count } more
       *[other] + { $count } more
    }
orders = Sort comments
order-oldest = Oldest first
order-newest = Newest first
order-answered = Most replies
read-on = Read on
more-by =
    { $count ->
        [one] { $count } more by { $author }
       *[other] { $count } more by { $author }
    }
more-by-several =
    { $count ->
        [one] { $count } more by { $author } and others
       *[other] { $count } more by { $author } and others
    }
comments-before = ← Previous comments
comments-after = More comments →
comment-by = Comment by { $author }
comment-on = on { $review }
back-to-conversation = Show in the conversation
newest-left-out =
    { $count ->
        [one] { $count } newer comment is not on this page. Show newest first.
       *[other] { $count } newer comments are not on this page. Show newest first.
    }
oldest-left-out =
    { $count ->
        [one] { $count } older comment is not on this page. Show oldest first.
       *[other] { $count } older comments are not on this page. Show oldest first.
    }
new-comments =
    { $count ->
        [one] { $count } new comment
       *[other] { $count } new comments
    }
copy = Copy
copied = Copied

## From the reader's own server

your-handle = Your handle or server on Mastodon or elsewhere in the fediverse
handle-example = @you@your.server
follow = Follow
reply = Reply
like = Like
boost = Boost
copy-handle = Or paste this handle into your server’s search box.
handle-to-follow = Handle to follow
elsewhere = Elsewhere
from-your-server = From your own server
follow-critic = Follow { $critic }
join-from-your-server = Join the conversation from your own server
copy-this-handle = Or paste this handle into your server’s search box:
copy-this-address = Or paste this address into your server’s search box:
back-to-critic = Back to { $critic }
back-to-review = Back to the review
not-a-handle = That is neither a handle nor a server. A handle looks like { handle-example }.
forget-me = Forget me on this device
server-does-not-answer = { $host } does not respond. Check the spelling, or try again later.
server-knows-nobody = No such account on { $host }. Check the spelling.
server-names-no-page = { $host } does not support this. Paste the address below into its search box instead.

## Feeds

feed-about = Reviews from { $title }, newest first.

## Errors

to-newest = Latest reviews
error-not-found = Page not found
error-not-found-advice = Check the address, or browse all reviews.
error-gone = This page is gone
error-gone-advice = The critic took it down. Browse all reviews instead.
error-bad-request = Invalid request
error-bad-request-advice = Check the address, or go back and try again.
error-forbidden = Not allowed
error-forbidden-advice = Go back to the page and submit its form from there.
error-too-large = Request too large
error-too-large-advice = Enter less and try again.
error-too-many = Too many requests
error-too-many-advice = Try again in a minute.
error-internal = Something went wrong
error-internal-advice = The error has been logged. Try again later.
error-unavailable = Temporarily unavailable
error-unavailable-advice = Try again in a minute.
