-- The URL at which a feed was read to its last page. Feeds that have entries were polled before.
alter table feeds add column read_url text;
update feeds set read_url = url where exists (select 1 from feed_entries e where e.feed_id = feeds.id);
