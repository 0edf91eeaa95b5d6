-- What the rest of the fediverse's activities need: answers of the critic, moderation, quotes, moves, keys that rotate.

alter table critics add column attribution_domains text not null default '[]';
alter table critics add column hide_followers bigint not null default 0;
alter table critics add column moved_to text;      -- the actor that the critic moved to
alter table critics add column announced text;     -- hash of the profile that the followers were last told of

-- An owner has one key that is served; the one before it signs until its time is over.
alter table keys add column retires_at bigint;
drop index keys_owner;
create unique index keys_served on keys (owner) where retires_at is null;

alter table actors add column icon text;           -- where its picture is, at its own server
alter table actors add column avatar text;         -- the picture's name under /media/
alter table actors add column avatar_of text;      -- the icon that was last asked for, whether or not it came
alter table actors add column indexable bigint not null default 1; -- 0: its words stay out of search and feeds
alter table actors add column trusted bigint not null default 0;   -- 1: the critic let it through

create index actors_by_host on actors (host);
create index followers_by_host on followers (host);
create index received_by_actor on received (actor, id);

create index actors_by_icon on actors (uri) where icon is not null and (avatar_of is null or avatar_of <> icon);
create index actors_by_avatar on actors (avatar) where avatar is not null;
create index actors_by_handle on actors (lower(handle));

alter table comments add column critic_id text references critics (id); -- where a critic of this site wrote it
alter table comments add column source text;       -- what the critic typed, as Markdown
alter table comments add column mentions text; -- whom a critic of this site speaks to in it, JSON
create index comments_by_critic on comments (critic_id, created_at) where critic_id is not null;

-- How other servers like to be spoken to.
create table hosts (
    host text not null primary key,
    signature text not null,         -- cavage, rfc9421: the form that it took last
    updated_at bigint not null
);

-- Rules about whole servers, subdomains included.
create table domain_rules (
    host text not null primary key,
    rule text not null,              -- block, silence, allow
    reason text,
    created_at bigint not null
);

create table blocked_actors (
    actor text not null primary key,
    reason text,
    created_at bigint not null
);

-- Actors of other servers who block a critic.
create table blockers (
    critic_id text not null references critics (id),
    actor text not null,
    state text not null,             -- on, off, preempted
    activity_uri text,
    signed_at bigint not null,       -- of what last changed the state
    primary key (critic_id, actor)
);
create index blockers_by_actor on blockers (actor);

-- Quotes that were asked for (FEP-044f). A granted one is served as its stamp.
create table stamps (
    id text not null primary key,
    review_id text not null references reviews (id),
    note_uri text not null,
    actor text not null,
    request_uri text,
    accept_id text,
    state text not null,             -- granted, revoked, withdrawn
    signed_at bigint not null,       -- of what last changed it
    created_at bigint not null,
    unique (review_id, note_uri)
);
create index stamps_by_note on stamps (note_uri);
create index stamps_by_actor on stamps (actor);

-- What others reported to us.
create table reports (
    id text not null primary key,
    actor text not null,
    host text not null,
    activity_uri text,
    objects text not null,           -- ids, JSON
    content text not null,
    state text not null,             -- open, closed
    created_at bigint not null
);
create index reports_by_host on reports (host, created_at);
create index reports_by_state on reports (state, id);

-- Answers that nobody needs any more are found by these.
create index stamps_by_accept on stamps (accept_id) where accept_id is not null;
create index followers_by_accept on followers (accept_id) where accept_id is not null;
create index activities_of_answers on activities (created_at) where kind in ('Accept', 'Reject');
