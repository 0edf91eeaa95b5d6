-- The hash of what an entry was before its last change, so that a change back is noticed.
alter table feed_entries add column previous_hash text;

-- The entries of the last document that had entries without a date, in its order, as a JSON array of hashes of their texts.
alter table feeds add column entry_order text;
