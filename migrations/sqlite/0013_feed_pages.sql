-- How a feed is requested, and how far its older pages have been read. Feeds that have entries were read before.
alter table feeds add column user_agent text;
alter table feeds add column page_interval_ms bigint not null default 1000;
alter table feeds add column resolved_url text;
alter table feeds add column next_page text;
alter table feeds add column pages_read bigint not null default 0;
alter table feeds add column pages_archived bigint not null default 0;
alter table feeds add column page_failures bigint not null default 0;
alter table feeds add column page_retry_at bigint not null default 0;
update feeds set pages_read = 1 where exists (select 1 from feed_entries e where e.feed_id = feeds.id);
