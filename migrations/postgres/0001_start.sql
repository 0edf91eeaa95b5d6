-- Times are epoch milliseconds, ids are ULIDs, lists are JSON in text. Key columns compare bytewise.

-- What is true of the whole site: its origin, its version of things.
create table settings (
    key text collate "C" not null primary key,
    value text collate "C" not null
);

create table critics (
    id text collate "C" not null primary key,
    handle text collate "C" not null,
    handle_key text collate "C" not null unique, -- the handle in lower case
    name text collate "C" not null,
    summary text collate "C" not null,
    avatar text collate "C",                     -- where the picture comes from
    avatar_name text collate "C",                -- its name under /media/
    avatar_type text collate "C",
    links text collate "C" not null,
    also_known_as text collate "C" not null,
    managed bigint not null,         -- 1: by the config file
    created_at bigint not null
);

-- Our signing keys; the owner is a critic's id, or 'instance'.
create table keys (
    id text collate "C" not null primary key,
    owner text collate "C" not null,
    private_key bytea not null,       -- PKCS #8
    created_at bigint not null
);
create unique index keys_owner on keys (owner);

create table media (
    id text collate "C" not null primary key,
    name text collate "C" not null,
    media_type text collate "C" not null,
    width bigint not null,
    height bigint not null,
    source text collate "C" not null unique,
    created_at bigint not null
);

create table feeds (
    id text collate "C" not null primary key,
    critic_id text collate "C" not null references critics (id),
    name text collate "C" not null unique,
    url text collate "C" not null,
    managed bigint not null,
    interval_ms bigint not null,
    publish_since bigint not null,
    max_publish_per_poll bigint not null,
    etag text collate "C",
    last_modified text collate "C",
    failures bigint not null,
    next_poll_at bigint not null,
    lease text collate "C",
    lease_until bigint,
    created_at bigint not null
);

create table reviews (
    id text collate "C" not null primary key,
    critic_id text collate "C" not null references critics (id),
    slug text collate "C" not null unique,
    state text collate "C" not null,
    title text collate "C" not null,
    subtitle text collate "C",
    body text collate "C" not null,
    teaser text collate "C" not null,
    film text collate "C" not null,              -- JSON
    film_key text collate "C" not null,         -- the film's title as it is compared
    rating text collate "C",                     -- in the critic's own form
    tags text collate "C" not null,
    language text collate "C",
    canonical_url text collate "C",
    canonical_key text collate "C",              -- the same, normalised
    source_published_at bigint,
    source_updated_at bigint,
    poster_url text collate "C",
    poster_alt text collate "C",
    poster_media text collate "C" references media (id),
    create_id text collate "C" not null unique, -- the Create that announces it
    feed_id text collate "C" references feeds (id),
    original_date bigint not null,
    released_at bigint not null,
    revised_at bigint,
    retracted_at bigint,
    created_at bigint not null
);
create index reviews_by_date on reviews (critic_id, state, original_date);
create index reviews_by_release on reviews (state, released_at);
create index reviews_by_film on reviews (critic_id, film_key);
create index reviews_by_title on reviews (critic_id, title);
create index reviews_by_feed on reviews (feed_id, state, released_at);
create index reviews_by_canonical on reviews (canonical_key);

-- Every address that a review's page ever had; all but the current one redirect.
create table slugs (
    slug text collate "C" not null primary key,
    review_id text collate "C" not null references reviews (id)
);

create table review_tags (
    review_id text collate "C" not null references reviews (id),
    slug text collate "C" not null,           -- the last part of the tag's address
    tag text collate "C" not null,
    primary key (slug, review_id)
);
create index review_tags_by_review on review_tags (review_id);

-- What a feed said, kept apart from what we publish.
create table entries (
    id text collate "C" not null primary key,
    feed_id text collate "C" not null references feeds (id),
    guid text collate "C",
    url text collate "C",                        -- normalised
    text_hash text collate "C" not null,
    content_hash text collate "C" not null,
    review_id text collate "C" references reviews (id),
    held_for text collate "C",                   -- turn: a later poll releases it; likeness: the critic decides
    first_seen_at bigint not null,
    last_seen_at bigint not null
);
create index entries_by_guid on entries (feed_id, guid);
create index entries_by_url on entries (url);
create index entries_by_text on entries (text_hash);
create index entries_by_review on entries (review_id);

create table feed_log (
    id text collate "C" not null primary key,
    feed_id text collate "C" not null references feeds (id),
    at bigint not null,
    decision text collate "C" not null,
    subject text collate "C" not null,
    reason text collate "C" not null
);
create index feed_log_by_feed on feed_log (feed_id, id);

-- Actors of other servers, as last seen.
create table actors (
    uri text collate "C" not null primary key,
    host text collate "C" not null,
    name text collate "C" not null,
    handle text collate "C",                     -- only where WebFinger confirms it
    url text collate "C" not null,
    inbox text collate "C" not null,
    shared_inbox text collate "C",
    fetched_at bigint not null,
    deleted_at bigint
);

create table actor_keys (
    key_id text collate "C" not null primary key,
    actor text collate "C" not null,
    pem text collate "C" not null,
    fetched_at bigint not null
);
create index actor_keys_by_actor on actor_keys (actor);

create table followers (
    critic_id text collate "C" not null references critics (id),
    actor text collate "C" not null,
    state text collate "C" not null,             -- following, gone, preempted
    inbox text collate "C" not null,             -- the shared one where there is one
    host text collate "C" not null,
    follow_uri text collate "C",
    accept_id text collate "C",
    signed_at bigint not null,       -- of what last changed the state
    created_at bigint not null,
    primary key (critic_id, actor)
);
create index followers_by_inbox on followers (critic_id, state, inbox);
create index followers_by_actor on followers (actor);

-- What we sent, in its exact bytes.
create table activities (
    id text collate "C" not null primary key,
    critic_id text collate "C" not null references critics (id),
    kind text collate "C" not null,
    object_uri text collate "C" not null,
    body text collate "C" not null,
    created_at bigint not null
);
create index activities_by_object on activities (object_uri, id);
create index activities_by_critic on activities (critic_id, id);

-- Activities whose deliveries are still to be written down.
create table fanouts (
    activity_id text collate "C" not null primary key references activities (id),
    cursor text collate "C" not null             -- the last inbox that has its row
);

create table deliveries (
    activity_id text collate "C" not null references activities (id),
    inbox text collate "C" not null,
    host text collate "C" not null,
    object_uri text collate "C" not null,
    kind text collate "C" not null,
    state text collate "C" not null,             -- queued, done, failed, superseded
    attempts bigint not null,
    next_attempt_at bigint not null,
    last_status bigint,
    last_error text collate "C",
    lease text collate "C",
    lease_until bigint,
    created_at bigint not null,
    finished_at bigint,
    primary key (activity_id, inbox)
);
create index deliveries_due on deliveries (state, next_attempt_at);
create index deliveries_by_object on deliveries (object_uri, state);
create index deliveries_in_order on deliveries (inbox, object_uri, state, activity_id);

-- What others sent to us and we have answered with 202.
create table received (
    id text collate "C" not null primary key,
    actor text collate "C" not null,
    key_id text collate "C" not null,
    body text collate "C" not null,
    signed_at bigint not null,
    received_at bigint not null,
    state text collate "C" not null,             -- queued, done, dropped, parked
    attempts bigint not null,
    next_attempt_at bigint not null,
    note text collate "C",
    waits_for text collate "C",                -- the id of the post that it answers, where that is not here yet
    lease text collate "C",
    lease_until bigint
);
create index received_waiting on received (waits_for);
create index received_due on received (state, next_attempt_at);

-- Signatures within their date window: each is good once.
create table seen_signatures (
    fingerprint text collate "C" not null primary key,
    expires_at bigint not null
);
create index seen_signatures_by_expiry on seen_signatures (expires_at);

create table comments (
    id text collate "C" not null primary key,
    review_id text collate "C" not null references reviews (id),
    uri text collate "C" not null unique,
    url text collate "C" not null,
    actor text collate "C" not null,
    parent_uri text collate "C" not null,
    content text collate "C" not null,
    warning text collate "C",
    language text collate "C",
    state text collate "C" not null,             -- shown, hidden, private, deleted
    published_at bigint not null,
    edited_at bigint,
    signed_at bigint not null,       -- of what last changed it
    created_at bigint not null
);
create index comments_by_review on comments (review_id, state);
create index comments_by_parent on comments (parent_uri, state);
create index comments_by_actor on comments (actor);

-- Likes and boosts: one an (actor, review, kind).
create table reactions (
    review_id text collate "C" not null references reviews (id),
    actor text collate "C" not null,
    kind text collate "C" not null,              -- like, boost
    state text collate "C" not null,             -- on, off, preempted
    activity_uri text collate "C",
    signed_at bigint not null,
    primary key (review_id, actor, kind)
);
create index reactions_by_activity on reactions (activity_uri);
create index reactions_by_actor on reactions (actor);

-- Ids that their own actor deleted or undid, so that what comes late stays gone.
create table withdrawals (
    uri text collate "C" not null,
    actor text collate "C" not null,
    signed_at bigint not null,
    primary key (uri, actor)
);
