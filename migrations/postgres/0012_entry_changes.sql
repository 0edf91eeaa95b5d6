-- The publish_since of its feed when the entry was first seen.
alter table feed_entries add column publish_since bigint;
-- When a change of the entry was last sent to followers.
alter table feed_entries add column update_sent_at bigint;
-- A change that is not applied yet: its content_hash, and why it waits.
alter table feed_entries add column pending_hash text;
-- update_limit: a later poll applies it; the critic decides about the others
alter table feed_entries add column pending_reason text check (pending_reason in ('update_limit', 'lossy', 'corrected'));
-- The document that an entry was read from, and the one with the change, compressed; empty if it was too large. Entries of
-- earlier versions have none. They are last, since SQLite reads the columns before a long one faster.
alter table feed_entries add column source bytea;
alter table feed_entries add column pending_source bytea;
create index feed_entries_by_pending on feed_entries (feed_id) where pending_reason is not null;
create index feed_entries_by_update on feed_entries (feed_id, update_sent_at) where update_sent_at is not null;

-- The version of Marquee that read the feed last. A new version reads entries that have not changed, too.
alter table feeds add column parser_version text;

-- The fields of a feed's review that the critic corrected, as a JSON array of names.
alter table reviews add column corrected_fields text not null default '[]';

-- Min-hashes of the texts of a critic's reviews. Similar texts share some of them.
create table review_fingerprints (
    critic_id text not null references critics (id),
    hash bigint not null,
    review_id text not null references reviews (id),
    primary key (critic_id, hash, review_id)
);
create index review_fingerprints_by_review on review_fingerprints (review_id);
-- 0: the next start computes them
alter table reviews add column fingerprinted bigint not null default 0;
create index reviews_not_fingerprinted on reviews (id) where fingerprinted = 0;
