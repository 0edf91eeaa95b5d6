-- The authors of the entries of a feed so far, as a JSON array of names.
alter table feeds add column authors text;

-- Entries without a date that were in a feed before it was read to its last page, and that are no reviews. If they become
-- some later, they are old.
create table left_out_entries (
    feed_id text not null references feeds (id),
    key_hash text not null,
    primary key (feed_id, key_hash)
);
