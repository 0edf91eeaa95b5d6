-- What readers do: likes, boosts and comments counted, reads by day, followers by day, the servers where a review was
-- met, and the faces of those who like and boost.

-- How many likes, boosts and comments of a review there are. Triggers keep the counts, so that no statement forgets
-- them and no page counts a million rows. Each connection counts in a row of its own, as in page_versions.
create table tallies (
    review_id text collate "C" not null,
    kind text collate "C" not null,  -- like, boost, comment
    writer bigint not null,          -- the process of the connection
    total bigint not null,
    primary key (review_id, kind, writer)
);
insert into tallies (review_id, kind, writer, total)
    select review_id, kind, 0, count(*) from reactions where state = 'on' group by review_id, kind;
insert into tallies (review_id, kind, writer, total)
    select review_id, 'comment', 0, count(*) from comments where state = 'shown' group by review_id;

-- Somebody did something at a review: whose server it was, and whose face, is looked at later, each row once.
create table arrivals (
    id bigint generated always as identity primary key,
    review_id text collate "C" not null,
    actor text collate "C" not null,
    kind text collate "C" not null   -- like, boost, comment
);
insert into arrivals (review_id, actor, kind)
    select review_id, actor, kind from reactions where state = 'on' order by signed_at;
insert into arrivals (review_id, actor, kind)
    select review_id, actor, 'comment' from comments where state = 'shown' and critic_id is null;

-- Of many rows that one statement changes, each review and kind counts once.
create function reactions_counted() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into tallies as t (review_id, kind, writer, total)
            select review_id, kind, pg_backend_pid(), count(*) from fresh where state = 'on' group by review_id, kind
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
        insert into arrivals (review_id, actor, kind)
            select review_id, actor, kind from fresh where state = 'on';
    elsif tg_op = 'UPDATE' then
        insert into tallies as t (review_id, kind, writer, total)
            select review_id, kind, pg_backend_pid(), sum(change) from (
                select review_id, kind, 1 as change from fresh where state = 'on'
                union all select review_id, kind, -1 from stale where state = 'on') changes
            group by review_id, kind having sum(change) <> 0
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
        insert into arrivals (review_id, actor, kind)
            select f.review_id, f.actor, f.kind from fresh f
            join stale s on s.review_id = f.review_id and s.actor = f.actor and s.kind = f.kind
            where f.state = 'on' and s.state <> 'on';
    else
        insert into tallies as t (review_id, kind, writer, total)
            select review_id, kind, pg_backend_pid(), -count(*) from stale where state = 'on' group by review_id, kind
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
    end if;
    return null;
end $$;
create trigger reaction_is_counted after insert on reactions referencing new table as fresh
    for each statement execute function reactions_counted();
create trigger reaction_is_counted_again after update on reactions
    referencing old table as stale new table as fresh
    for each statement execute function reactions_counted();
create trigger reaction_counts_no_more after delete on reactions referencing old table as stale
    for each statement execute function reactions_counted();

create function comments_counted() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into tallies as t (review_id, kind, writer, total)
            select review_id, 'comment', pg_backend_pid(), count(*) from fresh where state = 'shown' group by review_id
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
        insert into arrivals (review_id, actor, kind)
            select review_id, actor, 'comment' from fresh where state = 'shown' and critic_id is null;
    elsif tg_op = 'UPDATE' then
        insert into tallies as t (review_id, kind, writer, total)
            select review_id, 'comment', pg_backend_pid(), sum(change) from (
                select review_id, 1 as change from fresh where state = 'shown'
                union all select review_id, -1 from stale where state = 'shown') changes
            group by review_id having sum(change) <> 0
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
        insert into arrivals (review_id, actor, kind)
            select f.review_id, f.actor, 'comment' from fresh f join stale s on s.id = f.id
            where f.state = 'shown' and s.state <> 'shown' and f.critic_id is null;
    else
        insert into tallies as t (review_id, kind, writer, total)
            select review_id, 'comment', pg_backend_pid(), -count(*) from stale where state = 'shown' group by review_id
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
    end if;
    return null;
end $$;
create trigger comment_is_counted after insert on comments referencing new table as fresh
    for each statement execute function comments_counted();
create trigger comment_is_counted_again after update on comments
    referencing old table as stale new table as fresh
    for each statement execute function comments_counted();
create trigger comment_counts_no_more after delete on comments referencing old table as stale
    for each statement execute function comments_counted();

-- How often a review was read, by the site's own calendar. No row knows who.
create table reads (
    review_id text collate "C" not null references reviews (id),
    day text collate "C" not null,   -- 2026-11-23
    total bigint not null,
    primary key (review_id, day)
);
create index reads_by_day on reads (day);

-- The servers where a review arrived, or from where somebody answered, liked or boosted it.
create table reached_hosts (
    review_id text collate "C" not null references reviews (id),
    host text collate "C" not null,
    primary key (review_id, host)
);

-- How many of both, and what the page last told of it: it is rendered anew only once that is out of date. Whoever
-- writes to these tables does so alone, one after the other.
create table readers (
    review_id text collate "C" not null primary key references reviews (id),
    reads bigint not null default 0,
    hosts bigint not null default 0,
    told_reads bigint not null default 0,
    told_hosts bigint not null default 0
);
create function reads_counted() returns trigger language plpgsql as $$
begin
    insert into readers as r (review_id, reads)
        values (new.review_id, new.total - case when tg_op = 'UPDATE' then old.total else 0 end)
        on conflict (review_id) do update set reads = r.reads + excluded.reads;
    return null;
end $$;
create trigger reads_come after insert on reads for each row execute function reads_counted();
create trigger reads_become_more after update of total on reads for each row execute function reads_counted();
create function hosts_counted() returns trigger language plpgsql as $$
begin
    insert into readers as r (review_id, hosts)
        select review_id, count(*) from fresh group by review_id
        on conflict (review_id) do update set hosts = r.hosts + excluded.hosts;
    return null;
end $$;
create trigger a_host_is_reached after insert on reached_hosts referencing new table as fresh
    for each statement execute function hosts_counted();
create function readers_told() returns trigger language plpgsql as $$
begin
    perform page_changed(array[new.review_id]);
    return null;
end $$;
create trigger readers_are_told after update of told_reads, told_hosts on readers
    for each row execute function readers_told();

-- Followers over time: as many as there were at the end of a day.
create table follower_days (
    critic_id text collate "C" not null references critics (id),
    day text collate "C" not null,
    followers bigint not null,
    primary key (critic_id, day)
);

-- Those who liked or boosted something lately and whom nobody asked for yet.
create table strangers (
    actor text collate "C" not null primary key,
    attempts bigint not null,
    due_at bigint not null
);
create index strangers_due on strangers (due_at);

-- Whose face is shown.
alter table actors add column discoverable bigint not null default 1; -- 0: is not to be shown around
alter table actors add column face bigint not null default 0;         -- 1: liked or boosted something lately; 2: not lately any more
create index reactions_newest on reactions (review_id, signed_at, actor) where state = 'on';

-- Somebody who comments, likes or boosts is shown with name and picture.
create or replace function actor_changed() returns trigger language plpgsql as $$
declare
    who text;
begin
    if tg_op = 'DELETE' then who := old.uri; else who := new.uri; end if;
    perform page_changed(array(
        select review_id from comments where actor = who
        union select review_id from reactions where actor = who and state = 'on'));
    return null;
end $$;
drop trigger actor_changes on actors;
create trigger actor_changes after update on actors for each row
    when ((old.name, old.handle, old.url, old.avatar, old.indexable, old.discoverable, old.deleted_at)
        is distinct from (new.name, new.handle, new.url, new.avatar, new.indexable, new.discoverable, new.deleted_at))
    execute function actor_changed();

-- Who blocks the critic, or is let through only after a look, is not shown.
create function blocker_changed() returns trigger language plpgsql as $$
begin
    perform page_changed(array(
        select r.review_id from reactions r join reviews w on w.id = r.review_id
        where r.actor = new.actor and r.state = 'on' and w.critic_id = new.critic_id));
    return null;
end $$;
create trigger blocker_changes after insert or update on blockers
    for each row execute function blocker_changed();
create function domain_rule_changed() returns trigger language plpgsql as $$
begin
    perform page_changed(array(select id from critics));
    return null;
end $$;
create trigger domain_rule_comes after insert on domain_rules for each row
    when (new.rule = 'silence') execute function domain_rule_changed();
create trigger domain_rule_changes after update on domain_rules for each row
    when (old.rule <> new.rule and 'silence' in (old.rule, new.rule)) execute function domain_rule_changed();
create trigger domain_rule_goes after delete on domain_rules for each row
    when (old.rule = 'silence') execute function domain_rule_changed();
