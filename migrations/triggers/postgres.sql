-- The triggers of the PostgreSQL database maintain counts and page versions, so that no statement and no process can forget
-- to. When the database has older triggers, `store::triggers` drops every trigger function whose name begins with `marquee_`,
-- together with its triggers, and runs this file; a change of this file needs a new `TRIGGERS_VERSION` there. These triggers
-- must have the same effects as those of SQLite, except that a statement that changes many rows increments each subject only
-- once.
--
-- To avoid deadlocks, rows are written in the same order everywhere, or each connection has rows of its own (`writer`).

-- The number of followers behind each inbox.

create function marquee_count_followers() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        update follower_inboxes i set followers = i.followers - s.total
            from (select critic_id, inbox, count(*) as total from stale where state = 'following'
                group by critic_id, inbox) s
            where i.critic_id = s.critic_id and i.inbox = s.inbox;
    end if;
    insert into follower_inboxes as i (critic_id, inbox, host, followers)
        select critic_id, inbox, min(host), count(*) from fresh where state = 'following' group by critic_id, inbox
            order by critic_id, inbox
        on conflict (critic_id, inbox) do update set followers = i.followers + excluded.followers, host = excluded.host;
    return null;
end $$;
create trigger marquee_followers_insert after insert on followers referencing new table as fresh
    for each statement execute function marquee_count_followers();
create trigger marquee_followers_update after update on followers referencing old table as stale new table as fresh
    for each statement execute function marquee_count_followers();

-- The number of deliveries of each activity in each state. Deleted deliveries stay counted.

create function marquee_count_deliveries() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        insert into delivery_totals as t (activity_id, state, total)
            select activity_id, state, sum(change) from (
                select activity_id, state, 1 as change from fresh union all select activity_id, state, -1 from stale
            ) changes group by activity_id, state having sum(change) <> 0 order by activity_id, state
            on conflict (activity_id, state) do update set total = t.total + excluded.total;
    else
        insert into delivery_totals as t (activity_id, state, total)
            select activity_id, state, count(*) from fresh group by activity_id, state order by activity_id, state
            on conflict (activity_id, state) do update set total = t.total + excluded.total;
    end if;
    return null;
end $$;
create trigger marquee_deliveries_insert after insert on deliveries referencing new table as fresh
    for each statement execute function marquee_count_deliveries();
create trigger marquee_deliveries_update after update on deliveries referencing old table as stale new table as fresh
    for each statement execute function marquee_count_deliveries();

-- The numbers of likes, boosts and comments of each review, and a queue of reactions, from which the facepile and the
-- servers that a review has reached are updated. When a reaction is undone, an earlier one takes its place in the facepile.
-- One event for each review is enough for that.

create function marquee_count_reactions() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into review_stats as t (review_id, kind, writer, total)
            select review_id, kind, pg_backend_pid(), count(*) from fresh where state = 'on' group by review_id, kind
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
        insert into reaction_events (review_id, actor, kind)
            select review_id, actor, kind from fresh where state = 'on';
    elsif tg_op = 'UPDATE' then
        insert into review_stats as t (review_id, kind, writer, total)
            select review_id, kind, pg_backend_pid(), sum(change) from (
                select review_id, kind, 1 as change from fresh where state = 'on'
                union all select review_id, kind, -1 from stale where state = 'on') changes
            group by review_id, kind having sum(change) <> 0
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
        insert into reaction_events (review_id, actor, kind)
            select f.review_id, f.actor, f.kind from fresh f
            join stale s on s.review_id = f.review_id and s.actor = f.actor and s.kind = f.kind
            where f.state = 'on' and s.state <> 'on';
        insert into reaction_events (review_id, actor, kind)
            select f.review_id, min(f.actor), 'undo' from fresh f
            join stale s on s.review_id = f.review_id and s.actor = f.actor and s.kind = f.kind
            where f.state <> 'on' and s.state = 'on' group by f.review_id;
    else
        insert into review_stats as t (review_id, kind, writer, total)
            select review_id, kind, pg_backend_pid(), -count(*) from stale where state = 'on' group by review_id, kind
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
    end if;
    return null;
end $$;
create trigger marquee_reactions_insert_stats after insert on reactions referencing new table as fresh
    for each statement execute function marquee_count_reactions();
create trigger marquee_reactions_update_stats after update on reactions
    referencing old table as stale new table as fresh
    for each statement execute function marquee_count_reactions();
create trigger marquee_reactions_delete_stats after delete on reactions referencing old table as stale
    for each statement execute function marquee_count_reactions();

create function marquee_count_comments() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into review_stats as t (review_id, kind, writer, total)
            select review_id, 'comment', pg_backend_pid(), count(*) from fresh where state = 'shown' group by review_id
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
        insert into reaction_events (review_id, actor, kind)
            select review_id, actor, 'comment' from fresh where state = 'shown' and critic_id is null;
    elsif tg_op = 'UPDATE' then
        insert into review_stats as t (review_id, kind, writer, total)
            select review_id, 'comment', pg_backend_pid(), sum(change) from (
                select review_id, 1 as change from fresh where state = 'shown'
                union all select review_id, -1 from stale where state = 'shown') changes
            group by review_id having sum(change) <> 0
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
        insert into reaction_events (review_id, actor, kind)
            select f.review_id, f.actor, 'comment' from fresh f join stale s on s.id = f.id
            where f.state = 'shown' and s.state <> 'shown' and f.critic_id is null;
    else
        insert into review_stats as t (review_id, kind, writer, total)
            select review_id, 'comment', pg_backend_pid(), -count(*) from stale where state = 'shown' group by review_id
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
    end if;
    return null;
end $$;
create trigger marquee_comments_insert_stats after insert on comments referencing new table as fresh
    for each statement execute function marquee_count_comments();
create trigger marquee_comments_update_stats after update on comments
    referencing old table as stale new table as fresh
    for each statement execute function marquee_count_comments();
create trigger marquee_comments_delete_stats after delete on comments referencing old table as stale
    for each statement execute function marquee_count_comments();

-- The number of views of each review, and of servers that it has reached. Transactions that write here take a lock first.

create function marquee_count_views() returns trigger language plpgsql as $$
begin
    insert into view_counts as c (review_id, views)
        values (new.review_id, new.total - case when tg_op = 'UPDATE' then old.total else 0 end)
        on conflict (review_id) do update set views = c.views + excluded.views;
    return null;
end $$;
create trigger marquee_daily_views_insert after insert on daily_views
    for each row execute function marquee_count_views();
create trigger marquee_daily_views_update after update of total on daily_views
    for each row execute function marquee_count_views();

create function marquee_count_reached_hosts() returns trigger language plpgsql as $$
begin
    insert into view_counts as c (review_id, hosts)
        select review_id, count(*) from fresh group by review_id
        on conflict (review_id) do update set hosts = c.hosts + excluded.hosts;
    return null;
end $$;
create trigger marquee_reached_hosts_insert after insert on reached_hosts referencing new table as fresh
    for each statement execute function marquee_count_reached_hosts();

-- The number of reviews of each film, person, tag, and so on. A term without reviews is deleted.

create function marquee_count_browse_terms() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into browse_terms as t (kind, slug, name, sort, total)
            values (new.kind, new.slug, new.name, new.sort, 1)
            on conflict (kind, slug) do update
            set total = t.total + 1, name = excluded.name, sort = excluded.sort;
    else
        update browse_terms set total = total - 1 where kind = old.kind and slug = old.slug;
        delete from browse_terms where kind = old.kind and slug = old.slug and total <= 0;
    end if;
    return null;
end $$;
create trigger marquee_browse_index_insert after insert on browse_index
    for each row execute function marquee_count_browse_terms();
create trigger marquee_browse_index_delete after delete on browse_index
    for each row execute function marquee_count_browse_terms();

-- The versions of pages. A rendered page is valid as long as the sum of the versions of its subjects does not change.
-- Subjects are ids of reviews and critics, 'lists' (every page that lists reviews), and 'reviews' (the existence of reviews
-- and critics, and the contents of reviews, without comments and reactions). Each connection counts in rows of its own.

create function marquee_page_changed(subjects text[]) returns void language sql as $$
    insert into page_versions (subject, writer, version)
    select distinct subject, pg_backend_pid(), 1 from unnest(subjects) as subject
    on conflict (subject, writer) do update set version = page_versions.version + 1
$$;

create function marquee_comments_version() returns trigger language plpgsql as $$
begin
    perform marquee_page_changed(
        (select array_agg(distinct review_id) || array['lists'] from changed having count(*) > 0));
    return null;
end $$;
create trigger marquee_comments_insert_version after insert on comments referencing new table as changed
    for each statement execute function marquee_comments_version();
create trigger marquee_comments_update_version after update on comments referencing new table as changed
    for each statement execute function marquee_comments_version();
create trigger marquee_comments_delete_version after delete on comments referencing old table as changed
    for each statement execute function marquee_comments_version();

create function marquee_reactions_version() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        perform marquee_page_changed(array(
            select f.review_id from fresh f
            join stale s on s.review_id = f.review_id and s.actor = f.actor and s.kind = f.kind
            where (f.state = 'on') <> (s.state = 'on')));
    else
        perform marquee_page_changed(array(select review_id from changed where state = 'on'));
    end if;
    return null;
end $$;
create trigger marquee_reactions_insert_version after insert on reactions referencing new table as changed
    for each statement execute function marquee_reactions_version();
create trigger marquee_reactions_update_version after update on reactions
    referencing old table as stale new table as fresh
    for each statement execute function marquee_reactions_version();
create trigger marquee_reactions_delete_version after delete on reactions referencing old table as changed
    for each statement execute function marquee_reactions_version();

-- A review appears on the pages of the previous and next review, and on those of reviews of the same film or director, also
-- by other critics. No page shows a held or scheduled review, or columns that are only used for comparisons. When a review
-- is indexed later, `browse_indexed` is written last.
create function marquee_reviews_version() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform marquee_page_changed(array[old.id, old.critic_id, 'lists', 'reviews']);
    else
        perform marquee_page_changed(array[new.id, new.critic_id, 'lists', 'reviews']);
    end if;
    return null;
end $$;
create trigger marquee_reviews_insert_version after insert on reviews for each row
    when (new.state in ('archive', 'published')) execute function marquee_reviews_version();
create trigger marquee_reviews_update_version after update on reviews for each row
    when ((old.state in ('archive', 'published') or new.state in ('archive', 'published'))
        and (old.slug, old.state, old.title, old.subtitle, old.body, old.teaser, old.film, old.rating, old.tags,
            old.language, old.canonical_url, old.poster_url, old.poster_alt, old.poster_media, old.original_date,
            old.released_at, old.revised_at, old.retracted_at, old.browse_indexed)
        is distinct from (new.slug, new.state, new.title, new.subtitle, new.body, new.teaser, new.film, new.rating,
            new.tags, new.language, new.canonical_url, new.poster_url, new.poster_alt, new.poster_media,
            new.original_date, new.released_at, new.revised_at, new.retracted_at, new.browse_indexed))
    execute function marquee_reviews_version();
create trigger marquee_reviews_delete_version after delete on reviews for each row
    when (old.state in ('archive', 'published')) execute function marquee_reviews_version();

-- A later version of Marquee may index a review differently even if the review has not changed.
create function marquee_browse_index_version() returns trigger language plpgsql as $$
begin
    if exists (select 1 from changed) then
        perform marquee_page_changed(array['lists', 'reviews']);
    end if;
    return null;
end $$;
create trigger marquee_browse_index_insert_version after insert on browse_index referencing new table as changed
    for each statement execute function marquee_browse_index_version();
create trigger marquee_browse_index_delete_version after delete on browse_index referencing old table as changed
    for each statement execute function marquee_browse_index_version();

-- The name and handle of a critic appear next to other critics' reviews of a film, and in the sitemap. Every command writes
-- the critics of the config file, usually without changes.
create function marquee_critics_version() returns trigger language plpgsql as $$
declare
    subjects text[] := array[new.id, 'lists'] || array(select review_id from comments where critic_id = new.id);
begin
    if tg_op = 'INSERT' then
        subjects := subjects || array['reviews'];
    elsif (old.handle, old.name) is distinct from (new.handle, new.name) then
        subjects := subjects || array['reviews'];
    end if;
    perform marquee_page_changed(subjects);
    return null;
end $$;
create trigger marquee_critics_insert_version after insert on critics
    for each row execute function marquee_critics_version();
create trigger marquee_critics_update_version after update on critics for each row
    when ((old.handle, old.name, old.summary, old.avatar_source, old.avatar_name, old.avatar_type, old.links,
            old.also_known_as, old.attribution_domains, old.hide_followers, old.moved_to)
        is distinct from (new.handle, new.name, new.summary, new.avatar_source, new.avatar_name, new.avatar_type,
            new.links, new.also_known_as, new.attribution_domains, new.hide_followers, new.moved_to))
    execute function marquee_critics_version();

-- The name and avatar of an actor appear next to comments and reactions; `trusted` decides whether they do.
create function marquee_actors_version() returns trigger language plpgsql as $$
declare
    changed text;
begin
    if tg_op = 'DELETE' then changed := old.uri; else changed := new.uri; end if;
    perform marquee_page_changed(array(
        select review_id from comments where actor = changed
        union select review_id from reactions where actor = changed and state = 'on'));
    return null;
end $$;
create trigger marquee_actors_insert_version after insert on actors
    for each row execute function marquee_actors_version();
create trigger marquee_actors_update_version after update on actors for each row
    when ((old.name, old.handle, old.url, old.avatar, old.indexable, old.discoverable, old.deleted_at, old.trusted)
        is distinct from (new.name, new.handle, new.url, new.avatar, new.indexable, new.discoverable, new.deleted_at,
            new.trusted))
    execute function marquee_actors_version();
create trigger marquee_actors_delete_version after delete on actors
    for each row execute function marquee_actors_version();

-- An actor who blocks the critic is not shown in a facepile.
create function marquee_blockers_version() returns trigger language plpgsql as $$
begin
    perform marquee_page_changed(array(
        select r.review_id from reactions r join reviews w on w.id = r.review_id
        where r.actor = new.actor and r.state = 'on' and w.critic_id = new.critic_id));
    return null;
end $$;
create trigger marquee_blockers_insert_version after insert on blockers
    for each row execute function marquee_blockers_version();
create trigger marquee_blockers_update_version after update of state on blockers for each row
    when (old.state <> new.state) execute function marquee_blockers_version();

-- Neither is an actor on a silenced server, unless a subdomain of the server is allowed. In allow-list mode, actors on
-- allowed servers are shown. A block of an account or server changes the affected rows directly.
create function marquee_domain_rules_version() returns trigger language plpgsql as $$
begin
    perform marquee_page_changed(array(select id from critics));
    return null;
end $$;
create trigger marquee_domain_rules_insert_version after insert on domain_rules for each row
    when (new.rule <> 'block') execute function marquee_domain_rules_version();
create trigger marquee_domain_rules_update_version after update on domain_rules for each row
    when (old.rule <> new.rule) execute function marquee_domain_rules_version();
create trigger marquee_domain_rules_delete_version after delete on domain_rules for each row
    when (old.rule <> 'block') execute function marquee_domain_rules_version();

-- A poster was fetched again.
create function marquee_media_version() returns trigger language plpgsql as $$
begin
    perform marquee_page_changed(array['lists'] || array(select id from reviews where poster_media = new.id));
    return null;
end $$;
create trigger marquee_media_update_version after update on media for each row
    when ((old.name, old.media_type, old.width, old.height)
        is distinct from (new.name, new.media_type, new.width, new.height))
    execute function marquee_media_version();

-- The numbers on the page of a review are published in steps, not with every view.
create function marquee_view_counts_version() returns trigger language plpgsql as $$
begin
    perform marquee_page_changed(array[new.review_id]);
    return null;
end $$;
create trigger marquee_view_counts_update_version after update of published_views, published_hosts on view_counts
    for each row execute function marquee_view_counts_version();
