-- The Updates that a feed sent are counted from the activities.
drop index feed_entries_by_update;
alter table feed_entries drop column update_sent_at;
