-- Tables and columns get the names that ActivityPub servers use, and every column that holds a state or a kind gets a
-- CHECK constraint. Triggers leave the migrations: from now on they are in `migrations/triggers/`.
--
-- SQLite adds a constraint to a table only by building the table again. `store::upgrade` runs this in one transaction
-- with everything else that it does to the schema, and with foreign keys off: dropping a table would delete its rows
-- one by one, and with them those of other tables.
create table foreign_keys_are_off (foreign_keys integer not null check (foreign_keys = 0));
insert into foreign_keys_are_off select foreign_keys from pragma_foreign_keys;
drop table foreign_keys_are_off;

drop trigger followers_come;
drop trigger followers_change;
drop trigger deliveries_come;
drop trigger deliveries_change;
drop trigger comment_comes;
drop trigger comment_changes;
drop trigger comment_goes;
drop trigger reaction_comes;
drop trigger reaction_changes;
drop trigger reaction_goes;
drop trigger medium_changes;
drop trigger shelved_comes;
drop trigger shelved_goes;
drop trigger reaction_is_counted;
drop trigger reaction_is_counted_again;
drop trigger reaction_counts_no_more;
drop trigger comment_is_counted;
drop trigger comment_is_counted_again;
drop trigger comment_counts_no_more;
drop trigger reads_come;
drop trigger reads_become_more;
drop trigger a_host_is_reached;
drop trigger readers_are_told;
drop trigger actor_comes;
drop trigger actor_changes;
drop trigger actor_goes;
drop trigger blocker_comes;
drop trigger blocker_changes;
drop trigger review_comes;
drop trigger review_changes;
drop trigger review_goes;
drop trigger shelf_gains;
drop trigger shelf_loses;
drop trigger critic_comes;
drop trigger critic_changes;
drop trigger domain_rule_comes;
drop trigger domain_rule_changes;
drop trigger domain_rule_goes;

update settings set key = 'delivery_cursor' where key = 'reach';

alter table critics rename column avatar to avatar_source;
alter table critics rename column announced to announced_hash;

alter table keys rename to signing_keys;
drop index keys_served;
create unique index signing_keys_served on signing_keys (owner) where retires_at is null;

alter table actors rename column avatar_of to fetched_icon;
drop index actors_by_icon;
drop index actors_with_avatar;
create index actors_with_new_icon on actors (uri)
    where icon is not null and (fetched_icon is null or fetched_icon <> icon);
create index actors_with_avatar on actors (uri) where avatar is not null;

create table reviews_new (
    id text not null primary key,
    critic_id text not null references critics (id),
    create_id text not null unique,  -- the Create that announces it
    slug text not null unique,
    state text not null check (state in ('held', 'scheduled', 'archive', 'published', 'retracted')),
    title text not null,
    subtitle text,
    body text not null,
    teaser text not null,
    film text not null,              -- JSON
    film_key text not null,          -- the film's title as it is compared
    rating text,                     -- in the critic's own form
    tags text not null,
    language text,
    canonical_url text,
    canonical_key text,              -- the same, normalised
    source_published_at bigint,
    source_updated_at bigint,
    poster_url text,
    poster_alt text,
    poster_media text references media (id),
    feed_id text references feeds (id),
    original_date bigint not null,
    released_at bigint not null,
    revised_at bigint,
    retracted_at bigint,
    created_at bigint not null,
    browse_indexed bigint not null default 0 -- 0: the next start puts it into browse_index and search_index
);
insert into reviews_new (id, critic_id, create_id, slug, state, title, subtitle, body, teaser, film, film_key, rating,
        tags, language, canonical_url, canonical_key, source_published_at, source_updated_at, poster_url, poster_alt,
        poster_media, feed_id, original_date, released_at, revised_at, retracted_at, created_at, browse_indexed)
    select id, critic_id, create_id, slug, state, title, subtitle, body, teaser, film, film_key, rating,
        tags, language, canonical_url, canonical_key, source_published_at, source_updated_at, poster_url, poster_alt,
        poster_media, feed_id, original_date, released_at, revised_at, retracted_at, created_at, shelved from reviews;
drop table reviews;
alter table reviews_new rename to reviews;
create index reviews_by_date on reviews (critic_id, state, original_date);
create index reviews_by_release on reviews (state, released_at);
create index reviews_by_film on reviews (critic_id, film_key);
create index reviews_by_title on reviews (critic_id, title);
create index reviews_by_feed on reviews (feed_id, state, released_at);
create index reviews_by_canonical on reviews (canonical_key);
create index reviews_not_indexed on reviews (id) where browse_indexed = 0;

create table feed_entries (
    id text not null primary key,
    feed_id text not null references feeds (id),
    guid text,
    url text,                        -- normalised
    text_hash text not null,
    content_hash text not null,
    review_id text references reviews (id),
    -- next_poll: a later poll releases it; similar: the critic decides
    hold_reason text check (hold_reason in ('next_poll', 'similar')),
    first_seen_at bigint not null,
    last_seen_at bigint not null
);
insert into feed_entries (id, feed_id, guid, url, text_hash, content_hash, review_id, hold_reason, first_seen_at,
        last_seen_at)
    select id, feed_id, guid, url, text_hash, content_hash, review_id,
        case held_for when 'turn' then 'next_poll' when 'likeness' then 'similar' else held_for end, first_seen_at,
        last_seen_at from entries;
drop table entries;
create index feed_entries_by_guid on feed_entries (feed_id, guid);
create index feed_entries_by_url on feed_entries (url);
create index feed_entries_by_text on feed_entries (text_hash);
create index feed_entries_by_review on feed_entries (review_id);

create table feed_log_new (
    id text not null primary key,
    feed_id text not null references feeds (id),
    created_at bigint not null,
    decision text not null check (decision in ('published', 'archived', 'revised', 'held', 'scheduled', 'matched',
        'skipped', 'failed')),
    subject text not null,
    reason text not null
);
insert into feed_log_new (id, feed_id, created_at, decision, subject, reason)
    select id, feed_id, at, decision, subject, reason from feed_log;
drop table feed_log;
alter table feed_log_new rename to feed_log;
create index feed_log_by_feed on feed_log (feed_id, id);

create table followers_new (
    critic_id text not null references critics (id),
    actor text not null,
    state text not null check (state in ('following', 'pending', 'gone', 'preempted')),
    inbox text not null,             -- the shared one where there is one
    host text not null,
    follow_uri text,
    accept_id text,
    signed_at bigint not null,       -- of what last changed the state
    created_at bigint not null,
    primary key (critic_id, actor)
);
insert into followers_new (critic_id, actor, state, inbox, host, follow_uri, accept_id, signed_at, created_at)
    select critic_id, actor, state, inbox, host, follow_uri, accept_id, signed_at, created_at from followers;
drop table followers;
alter table followers_new rename to followers;
create index followers_in_order on followers (critic_id, state, actor);
create index followers_by_actor on followers (actor);
create index followers_by_host on followers (host);
create index followers_by_inbox on followers (inbox) where state in ('following', 'pending');
create index followers_by_accept on followers (accept_id) where accept_id is not null;

alter table inboxes rename to follower_inboxes;
alter table follower_days rename to daily_followers;

create table activities_new (
    id text not null primary key,
    critic_id text not null references critics (id),
    kind text not null check (kind in ('Create', 'Update', 'Delete', 'Accept', 'Reject', 'Move', 'Forward')),
    object_uri text not null,
    body text not null,              -- the exact bytes that are sent
    created_at bigint not null
);
insert into activities_new (id, critic_id, kind, object_uri, body, created_at)
    select id, critic_id, kind, object_uri, body, created_at from activities;
drop table activities;
alter table activities_new rename to activities;
create index activities_by_object on activities (object_uri, id);
create index activities_by_critic on activities (critic_id, id);
create index activities_that_respond on activities (created_at) where kind in ('Accept', 'Reject');

create table deliveries_new (
    activity_id text not null references activities (id),
    inbox text not null,
    host text not null,
    object_uri text not null,
    kind text not null check (kind in ('Create', 'Update', 'Delete', 'Accept', 'Reject', 'Move', 'Forward')),
    state text not null check (state in ('queued', 'done', 'failed', 'superseded')),
    attempts bigint not null,
    next_attempt_at bigint not null,
    last_status bigint,
    last_error text,
    created_at bigint not null,
    finished_at bigint,
    primary key (activity_id, inbox)
);
insert into deliveries_new (activity_id, inbox, host, object_uri, kind, state, attempts, next_attempt_at, last_status,
        last_error, created_at, finished_at)
    select activity_id, inbox, host, object_uri, kind, state, attempts, next_attempt_at, last_status,
        last_error, created_at, finished_at from deliveries;
drop table deliveries;
alter table deliveries_new rename to deliveries;
create index deliveries_waiting on deliveries (host, next_attempt_at) where state = 'queued';
create index deliveries_in_order on deliveries (inbox, object_uri, activity_id) where state = 'queued';
create index deliveries_by_object on deliveries (object_uri);
create index deliveries_finished on deliveries (finished_at) where finished_at is not null;
create index deliveries_deferred on deliveries (activity_id, next_attempt_at) where state = 'queued' and attempts > 0;
create index deliveries_failed on deliveries (activity_id, finished_at) where state = 'failed';

create table delivery_totals_new (
    activity_id text not null references activities (id) on delete cascade,
    state text not null check (state in ('queued', 'done', 'failed', 'superseded')),
    total bigint not null,
    primary key (activity_id, state)
);
insert into delivery_totals_new (activity_id, state, total) select activity_id, state, total from delivery_totals;
drop table delivery_totals;
alter table delivery_totals_new rename to delivery_totals;

create table inbox_activities (
    id text not null primary key,
    actor text not null,
    key_id text not null,
    body text not null,
    signed_at bigint not null,
    received_at bigint not null,
    state text not null check (state in ('queued', 'done', 'dropped', 'parked')),
    attempts bigint not null,
    next_attempt_at bigint not null,
    note text,
    waiting_for text,                -- the id of the post that it answers, if that is not here yet
    lease text,
    lease_until bigint
);
insert into inbox_activities (id, actor, key_id, body, signed_at, received_at, state, attempts, next_attempt_at, note,
        waiting_for, lease, lease_until)
    select id, actor, key_id, body, signed_at, received_at, state, attempts, next_attempt_at, note,
        waits_for, lease, lease_until from received;
drop table received;
create index inbox_activities_waiting on inbox_activities (waiting_for);
create index inbox_activities_due on inbox_activities (state, next_attempt_at);
create index inbox_activities_by_actor on inbox_activities (actor, id);

create table comments_new (
    id text not null primary key,
    review_id text not null references reviews (id),
    uri text not null unique,
    url text not null,
    actor text not null,
    critic_id text references critics (id), -- if a critic of this site wrote it
    parent_uri text not null,
    content text not null,
    source text,                     -- what the critic typed, as Markdown
    mentions text,                   -- the actors that the critic mentions, JSON
    warning text,
    language text,
    state text not null check (state in ('shown', 'held', 'hidden', 'removed', 'withheld', 'private', 'deleted')),
    published_at bigint not null,
    edited_at bigint,
    signed_at bigint not null,       -- of what last changed it
    created_at bigint not null
);
insert into comments_new (id, review_id, uri, url, actor, critic_id, parent_uri, content, source, mentions, warning,
        language, state, published_at, edited_at, signed_at, created_at)
    select id, review_id, uri, url, actor, critic_id, parent_uri, content, source, mentions, warning,
        language, state, published_at, edited_at, signed_at, created_at from comments;
drop table comments;
alter table comments_new rename to comments;
create index comments_by_review on comments (review_id, state);
create index comments_by_parent on comments (parent_uri, state);
create index comments_by_actor on comments (actor);
create index comments_by_critic on comments (critic_id, created_at) where critic_id is not null;

create table reactions_new (
    review_id text not null references reviews (id),
    actor text not null,
    kind text not null check (kind in ('like', 'boost')),
    state text not null check (state in ('on', 'off', 'preempted')),
    activity_uri text,
    signed_at bigint not null,
    primary key (review_id, actor, kind)
);
insert into reactions_new (review_id, actor, kind, state, activity_uri, signed_at)
    select review_id, actor, kind, state, activity_uri, signed_at from reactions;
drop table reactions;
alter table reactions_new rename to reactions;
create index reactions_by_activity on reactions (activity_uri);
create index reactions_by_actor on reactions (actor);
create index reactions_newest on reactions (review_id, signed_at, actor) where state = 'on';

alter table withdrawals rename to tombstones;

create table hosts_new (
    host text not null primary key,
    signature_scheme text not null check (signature_scheme in ('cavage', 'rfc9421')), -- the one that it accepted last
    updated_at bigint not null,
    due_at bigint,                   -- from when something is to be sent there
    lease text,
    lease_until bigint,
    failures bigint not null default 0, -- in a row, since its last response
    failing_since bigint,
    retry_at bigint,                 -- nothing is sent to it before then
    last_error text
);
insert into hosts_new (host, signature_scheme, updated_at, due_at, lease, lease_until, failures, failing_since, retry_at,
        last_error)
    select host, signature, updated_at, due_at, lease, lease_until, failures, failing_since, closed_until,
        last_error from hosts;
drop table hosts;
alter table hosts_new rename to hosts;
create index hosts_due on hosts (due_at) where due_at is not null and failures = 0;
create index hosts_failing_due on hosts (due_at) where due_at is not null and failures > 0;
create index hosts_leased on hosts (lease) where lease is not null;
create index hosts_failing on hosts (failing_since, host) where failing_since is not null;

create table domain_rules_new (
    host text not null primary key,
    rule text not null check (rule in ('block', 'silence', 'allow')),
    reason text,
    created_at bigint not null
);
insert into domain_rules_new (host, rule, reason, created_at) select host, rule, reason, created_at from domain_rules;
drop table domain_rules;
alter table domain_rules_new rename to domain_rules;

create table blockers_new (
    critic_id text not null references critics (id),
    actor text not null,
    state text not null check (state in ('on', 'off', 'preempted')),
    activity_uri text,
    signed_at bigint not null,       -- of what last changed the state
    primary key (critic_id, actor)
);
insert into blockers_new (critic_id, actor, state, activity_uri, signed_at)
    select critic_id, actor, state, activity_uri, signed_at from blockers;
drop table blockers;
alter table blockers_new rename to blockers;
create index blockers_by_actor on blockers (actor);

create table authorizations (
    id text not null primary key,
    review_id text not null references reviews (id),
    note_uri text not null,
    actor text not null,
    request_uri text,
    accept_id text,
    state text not null check (state in ('granted', 'revoked', 'withdrawn')),
    signed_at bigint not null,       -- of what last changed it
    created_at bigint not null,
    unique (review_id, note_uri)
);
insert into authorizations (id, review_id, note_uri, actor, request_uri, accept_id, state, signed_at, created_at)
    select id, review_id, note_uri, actor, request_uri, accept_id, state, signed_at, created_at from stamps;
drop table stamps;
create index authorizations_by_note on authorizations (note_uri);
create index authorizations_by_actor on authorizations (actor);
create index authorizations_by_accept on authorizations (accept_id) where accept_id is not null;

create table reports_new (
    id text not null primary key,
    actor text not null,
    host text not null,
    activity_uri text,
    objects text not null,           -- ids, JSON
    content text not null,
    state text not null check (state in ('open', 'closed')),
    created_at bigint not null
);
insert into reports_new (id, actor, host, activity_uri, objects, content, state, created_at)
    select id, actor, host, activity_uri, objects, content, state, created_at from reports;
drop table reports;
alter table reports_new rename to reports;
create index reports_by_host on reports (host, created_at);
create index reports_by_state on reports (state, id);

create table browse_index (
    kind text not null check (kind in ('all', 'critic', 'film', 'person', 'tag', 'rating')),
    slug text not null,              -- the last part of the URL
    original_date bigint not null,
    review_id text not null references reviews (id),
    roles bigint not null,           -- of a person: 1 directs, 2 writes, 4 stars
    name text not null,              -- as this review says it
    sort text not null,              -- the key by which terms of a kind are ordered
    primary key (kind, slug, original_date, review_id)
) without rowid;
insert into browse_index (kind, slug, original_date, review_id, roles, name, sort)
    select kind, slug, original_date, review_id, roles, name, sort from shelved;
drop table shelved;
create index browse_index_by_review on browse_index (review_id);

create table browse_terms (
    kind text not null check (kind in ('all', 'critic', 'film', 'person', 'tag', 'rating')),
    slug text not null,
    name text not null,              -- as the review says it that was indexed last
    sort text not null,
    total bigint not null,
    primary key (kind, slug)
);
insert into browse_terms (kind, slug, name, sort, total) select kind, slug, name, sort, total from shelves;
drop table shelves;
create index browse_terms_in_order on browse_terms (kind, sort, slug);
create index browse_terms_by_total on browse_terms (kind, total desc, sort, slug);

alter table search rename to search_index;
alter table search_places rename to search_documents;
alter table search_documents rename column place to doc_id;

create table review_stats (
    review_id text not null,
    kind text not null check (kind in ('like', 'boost', 'comment')),
    writer bigint not null,          -- 0: this database has one writer
    total bigint not null,
    primary key (review_id, kind, writer)
);
insert into review_stats (review_id, kind, writer, total) select review_id, kind, writer, total from tallies;
drop table tallies;

create table reaction_events (
    id integer primary key,
    review_id text not null,
    actor text not null,
    kind text not null check (kind in ('like', 'boost', 'comment', 'undo'))
);
insert into reaction_events (id, review_id, actor, kind) select id, review_id, actor, kind from arrivals;
drop table arrivals;

alter table reads rename to daily_views;
drop index reads_by_day;
create index daily_views_by_day on daily_views (day);

alter table readers rename to view_counts;
alter table view_counts rename column reads to views;
alter table view_counts rename column told_reads to published_views;
alter table view_counts rename column told_hosts to published_hosts;

alter table strangers rename to unresolved_actors;
drop index strangers_due;
create index unresolved_actors_due on unresolved_actors (due_at);

alter table faces rename to facepile;
drop index faces_by_actor;
create index facepile_by_actor on facepile (actor);
