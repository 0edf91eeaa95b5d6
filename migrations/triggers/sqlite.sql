-- The triggers of the SQLite database maintain counts and page versions, so that no statement and no process can forget to.
-- When the database has older triggers, `store::triggers` drops every trigger whose name begins with `marquee_` and runs this
-- file; a change of this file needs a new `TRIGGERS_VERSION` there. These triggers must have the same effects as those of
-- PostgreSQL.

-- The number of followers behind each inbox.

create trigger marquee_followers_insert after insert on followers when new.state = 'following' begin
    insert into follower_inboxes (critic_id, inbox, host, followers)
        values (new.critic_id, new.inbox, new.host, 1)
        on conflict (critic_id, inbox) do update set followers = followers + 1, host = excluded.host;
end;
create trigger marquee_followers_update after update of state, inbox on followers begin
    update follower_inboxes set followers = followers - 1
        where old.state = 'following' and critic_id = old.critic_id and inbox = old.inbox;
    insert into follower_inboxes (critic_id, inbox, host, followers)
        select new.critic_id, new.inbox, new.host, 1 where new.state = 'following'
        on conflict (critic_id, inbox) do update set followers = followers + 1, host = excluded.host;
end;

-- The number of deliveries of each activity in each state. Deleted deliveries stay counted.

create trigger marquee_deliveries_insert after insert on deliveries begin
    insert into delivery_totals (activity_id, state, total) values (new.activity_id, new.state, 1)
        on conflict (activity_id, state) do update set total = total + 1;
end;
create trigger marquee_deliveries_update after update of state on deliveries when old.state <> new.state begin
    update delivery_totals set total = total - 1 where activity_id = old.activity_id and state = old.state;
    insert into delivery_totals (activity_id, state, total) values (new.activity_id, new.state, 1)
        on conflict (activity_id, state) do update set total = total + 1;
end;

-- The numbers of likes, boosts and comments of each review, and a queue of reactions, from which the facepile and the
-- servers that a review has reached are updated. When a reaction is undone, an earlier one takes its place in the facepile.

create trigger marquee_reactions_insert_stats after insert on reactions when new.state = 'on' begin
    insert into review_stats (review_id, kind, writer, total) values (new.review_id, new.kind, 0, 1)
        on conflict (review_id, kind, writer) do update set total = total + 1;
    insert into reaction_events (review_id, actor, kind) values (new.review_id, new.actor, new.kind);
end;
create trigger marquee_reactions_update_stats after update of state on reactions
when (old.state = 'on') <> (new.state = 'on') begin
    insert into review_stats (review_id, kind, writer, total)
        values (new.review_id, new.kind, 0, case when new.state = 'on' then 1 else -1 end)
        on conflict (review_id, kind, writer) do update set total = total + excluded.total;
    insert into reaction_events (review_id, actor, kind)
        values (new.review_id, new.actor, case when new.state = 'on' then new.kind else 'undo' end);
end;
create trigger marquee_reactions_delete_stats after delete on reactions when old.state = 'on' begin
    insert into review_stats (review_id, kind, writer, total) values (old.review_id, old.kind, 0, -1)
        on conflict (review_id, kind, writer) do update set total = total - 1;
end;
create trigger marquee_comments_insert_stats after insert on comments when new.state = 'shown' begin
    insert into review_stats (review_id, kind, writer, total) values (new.review_id, 'comment', 0, 1)
        on conflict (review_id, kind, writer) do update set total = total + 1;
    insert into reaction_events (review_id, actor, kind)
        select new.review_id, new.actor, 'comment' where new.critic_id is null;
end;
create trigger marquee_comments_update_stats after update of state on comments
when (old.state = 'shown') <> (new.state = 'shown') begin
    insert into review_stats (review_id, kind, writer, total)
        values (new.review_id, 'comment', 0, case when new.state = 'shown' then 1 else -1 end)
        on conflict (review_id, kind, writer) do update set total = total + excluded.total;
    insert into reaction_events (review_id, actor, kind)
        select new.review_id, new.actor, 'comment' where new.state = 'shown' and new.critic_id is null;
end;
create trigger marquee_comments_delete_stats after delete on comments when old.state = 'shown' begin
    insert into review_stats (review_id, kind, writer, total) values (old.review_id, 'comment', 0, -1)
        on conflict (review_id, kind, writer) do update set total = total - 1;
end;

-- The number of views of each review, and of servers that it has reached.

create trigger marquee_daily_views_insert after insert on daily_views begin
    insert into view_counts (review_id, views) values (new.review_id, new.total)
        on conflict (review_id) do update set views = views + excluded.views;
end;
create trigger marquee_daily_views_update after update of total on daily_views begin
    update view_counts set views = views + new.total - old.total where review_id = new.review_id;
end;
create trigger marquee_reached_hosts_insert after insert on reached_hosts begin
    insert into view_counts (review_id, hosts) values (new.review_id, 1)
        on conflict (review_id) do update set hosts = hosts + 1;
end;

-- The number of reviews of each film, person, tag, and so on. A term without reviews is deleted.

create trigger marquee_browse_index_insert after insert on browse_index begin
    insert into browse_terms (kind, slug, name, sort, total) values (new.kind, new.slug, new.name, new.sort, 1)
        on conflict (kind, slug) do update set total = total + 1, name = excluded.name, sort = excluded.sort;
end;
create trigger marquee_browse_index_delete after delete on browse_index begin
    update browse_terms set total = total - 1 where kind = old.kind and slug = old.slug;
    delete from browse_terms where kind = old.kind and slug = old.slug and total <= 0;
end;

-- The versions of pages. A rendered page is valid as long as the sum of the versions of its subjects does not change.
-- Subjects are ids of reviews and critics, 'lists' (every page that lists reviews), and 'reviews' (the existence of reviews
-- and critics, and the contents of reviews, without comments and reactions).

create trigger marquee_comments_insert_version after insert on comments begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_comments_update_version after update on comments begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_comments_delete_version after delete on comments begin
    insert into page_versions (subject, writer, version) values (old.review_id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

create trigger marquee_reactions_insert_version after insert on reactions when new.state = 'on' begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_reactions_update_version after update on reactions
when (old.state = 'on') <> (new.state = 'on') begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_reactions_delete_version after delete on reactions when old.state = 'on' begin
    insert into page_versions (subject, writer, version) values (old.review_id, 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

-- A review appears on the pages of the previous and next review, and on those of reviews of the same film or director, also
-- by other critics. No page shows a held or scheduled review, or columns that are only used for comparisons. When a review
-- is indexed later, `browse_indexed` is written last.
create trigger marquee_reviews_insert_version after insert on reviews when new.state in ('archive', 'published') begin
    insert into page_versions (subject, writer, version)
    values (new.id, 0, 1), (new.critic_id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_reviews_update_version after update on reviews
when (old.state in ('archive', 'published') or new.state in ('archive', 'published'))
    and (old.slug, old.state, old.title, old.subtitle, old.body, old.teaser, old.film, old.rating, old.tags,
        old.language, old.canonical_url, old.poster_url, old.poster_alt, old.poster_media, old.original_date,
        old.released_at, old.revised_at, old.retracted_at, old.browse_indexed)
    is not (new.slug, new.state, new.title, new.subtitle, new.body, new.teaser, new.film, new.rating, new.tags,
        new.language, new.canonical_url, new.poster_url, new.poster_alt, new.poster_media, new.original_date,
        new.released_at, new.revised_at, new.retracted_at, new.browse_indexed)
begin
    insert into page_versions (subject, writer, version)
    values (new.id, 0, 1), (new.critic_id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_reviews_delete_version after delete on reviews when old.state in ('archive', 'published') begin
    insert into page_versions (subject, writer, version)
    values (old.id, 0, 1), (old.critic_id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

-- A later version of Marquee may index a review differently even if the review has not changed.
create trigger marquee_browse_index_insert_version after insert on browse_index begin
    insert into page_versions (subject, writer, version) values ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_browse_index_delete_version after delete on browse_index begin
    insert into page_versions (subject, writer, version) values ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

-- The name and handle of a critic appear next to other critics' reviews of a film, and in the sitemap. Every command writes
-- the critics of the config file, usually without changes.
create trigger marquee_critics_insert_version after insert on critics begin
    insert into page_versions (subject, writer, version) values (new.id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_critics_update_version after update on critics
when (old.handle, old.name, old.summary, old.avatar_source, old.avatar_name, old.avatar_type, old.links,
        old.also_known_as, old.attribution_domains, old.hide_followers, old.moved_to)
    is not (new.handle, new.name, new.summary, new.avatar_source, new.avatar_name, new.avatar_type, new.links,
        new.also_known_as, new.attribution_domains, new.hide_followers, new.moved_to)
begin
    insert into page_versions (subject, writer, version)
    select subject, 0, 1 from (
        select new.id as subject union select 'lists' union select review_id from comments where critic_id = new.id
        union select 'reviews' where (old.handle, old.name) is not (new.handle, new.name))
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;

-- The name and avatar of an actor appear next to comments and reactions; `trusted` decides whether they do.
create trigger marquee_actors_insert_version after insert on actors begin
    insert into page_versions (subject, writer, version)
    select review_id, 0, 1 from (
        select review_id from comments where actor = new.uri
        union select review_id from reactions where actor = new.uri and state = 'on')
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_actors_update_version after update on actors
when (old.name, old.handle, old.url, old.avatar, old.indexable, old.discoverable, old.deleted_at, old.trusted)
    is not (new.name, new.handle, new.url, new.avatar, new.indexable, new.discoverable, new.deleted_at, new.trusted)
begin
    insert into page_versions (subject, writer, version)
    select review_id, 0, 1 from (
        select review_id from comments where actor = new.uri
        union select review_id from reactions where actor = new.uri and state = 'on')
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_actors_delete_version after delete on actors begin
    insert into page_versions (subject, writer, version)
    select review_id, 0, 1 from (
        select review_id from comments where actor = old.uri
        union select review_id from reactions where actor = old.uri and state = 'on')
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;

-- An actor who blocks the critic is not shown in a facepile.
create trigger marquee_blockers_insert_version after insert on blockers begin
    insert into page_versions (subject, writer, version)
    select distinct r.review_id, 0, 1 from reactions r join reviews w on w.id = r.review_id
    where r.actor = new.actor and r.state = 'on' and w.critic_id = new.critic_id
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_blockers_update_version after update of state on blockers when old.state <> new.state begin
    insert into page_versions (subject, writer, version)
    select distinct r.review_id, 0, 1 from reactions r join reviews w on w.id = r.review_id
    where r.actor = new.actor and r.state = 'on' and w.critic_id = new.critic_id
    on conflict (subject, writer) do update set version = version + 1;
end;

-- Neither is an actor on a silenced server, unless a subdomain of the server is allowed. In allow-list mode, actors on
-- allowed servers are shown. A block of an account or server changes the affected rows directly.
create trigger marquee_domain_rules_insert_version after insert on domain_rules when new.rule <> 'block' begin
    insert into page_versions (subject, writer, version) select id, 0, 1 from critics where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_domain_rules_update_version after update on domain_rules when old.rule <> new.rule begin
    insert into page_versions (subject, writer, version) select id, 0, 1 from critics where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger marquee_domain_rules_delete_version after delete on domain_rules when old.rule <> 'block' begin
    insert into page_versions (subject, writer, version) select id, 0, 1 from critics where true
    on conflict (subject, writer) do update set version = version + 1;
end;

-- A poster was fetched again.
create trigger marquee_media_update_version after update on media
when (old.name, old.media_type, old.width, old.height) is not (new.name, new.media_type, new.width, new.height)
begin
    insert into page_versions (subject, writer, version)
    select subject, 0, 1 from (
        select 'lists' as subject union select id from reviews where poster_media = new.id)
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;

-- The numbers on the page of a review are published in steps, not with every view.
create trigger marquee_view_counts_update_version after update of published_views, published_hosts on view_counts begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
