-- What readers do: likes, boosts and comments counted, reads by day, followers by day, the servers where a review was
-- met, and the faces of those who like and boost.

-- How many likes, boosts and comments of a review there are. Triggers keep the counts, so that no statement forgets
-- them and no page counts a million rows.
create table tallies (
    review_id text not null,
    kind text not null,              -- like, boost, comment
    writer bigint not null,          -- 0: this database has one writer
    total bigint not null,
    primary key (review_id, kind, writer)
);
insert into tallies (review_id, kind, writer, total)
    select review_id, kind, 0, count(*) from reactions where state = 'on' group by review_id, kind;
insert into tallies (review_id, kind, writer, total)
    select review_id, 'comment', 0, count(*) from comments where state = 'shown' group by review_id;

-- Somebody did something at a review: whose server it was, and whose face, is looked at later, each row once.
create table arrivals (
    id integer primary key,
    review_id text not null,
    actor text not null,
    kind text not null               -- like, boost, comment
);
insert into arrivals (review_id, actor, kind)
    select review_id, actor, kind from reactions where state = 'on' order by signed_at;
insert into arrivals (review_id, actor, kind)
    select review_id, actor, 'comment' from comments where state = 'shown' and critic_id is null;

create trigger reaction_is_counted after insert on reactions when new.state = 'on' begin
    insert into tallies (review_id, kind, writer, total) values (new.review_id, new.kind, 0, 1)
        on conflict (review_id, kind, writer) do update set total = total + 1;
    insert into arrivals (review_id, actor, kind) values (new.review_id, new.actor, new.kind);
end;
create trigger reaction_is_counted_again after update of state on reactions
when (old.state = 'on') <> (new.state = 'on') begin
    insert into tallies (review_id, kind, writer, total)
        values (new.review_id, new.kind, 0, case when new.state = 'on' then 1 else -1 end)
        on conflict (review_id, kind, writer) do update set total = total + excluded.total;
    insert into arrivals (review_id, actor, kind)
        select new.review_id, new.actor, new.kind where new.state = 'on';
end;
create trigger reaction_counts_no_more after delete on reactions when old.state = 'on' begin
    update tallies set total = total - 1 where review_id = old.review_id and kind = old.kind;
end;
create trigger comment_is_counted after insert on comments when new.state = 'shown' begin
    insert into tallies (review_id, kind, writer, total) values (new.review_id, 'comment', 0, 1)
        on conflict (review_id, kind, writer) do update set total = total + 1;
    insert into arrivals (review_id, actor, kind)
        select new.review_id, new.actor, 'comment' where new.critic_id is null;
end;
create trigger comment_is_counted_again after update of state on comments
when (old.state = 'shown') <> (new.state = 'shown') begin
    insert into tallies (review_id, kind, writer, total)
        values (new.review_id, 'comment', 0, case when new.state = 'shown' then 1 else -1 end)
        on conflict (review_id, kind, writer) do update set total = total + excluded.total;
    insert into arrivals (review_id, actor, kind)
        select new.review_id, new.actor, 'comment' where new.state = 'shown' and new.critic_id is null;
end;
create trigger comment_counts_no_more after delete on comments when old.state = 'shown' begin
    update tallies set total = total - 1 where review_id = old.review_id and kind = 'comment';
end;

-- How often a review was read, by the site's own calendar. No row knows who.
create table reads (
    review_id text not null references reviews (id),
    day text not null,               -- 2026-11-23
    total bigint not null,
    primary key (review_id, day)
);
create index reads_by_day on reads (day);

-- The servers where a review arrived, or from where somebody answered, liked or boosted it.
create table reached_hosts (
    review_id text not null references reviews (id),
    host text not null,
    primary key (review_id, host)
);

-- How many of both, and what the page last told of it: it is rendered anew only once that is out of date.
create table readers (
    review_id text not null primary key references reviews (id),
    reads bigint not null default 0,
    hosts bigint not null default 0,
    told_reads bigint not null default 0,
    told_hosts bigint not null default 0
);
create trigger reads_come after insert on reads begin
    insert into readers (review_id, reads) values (new.review_id, new.total)
        on conflict (review_id) do update set reads = reads + excluded.reads;
end;
create trigger reads_become_more after update of total on reads begin
    update readers set reads = reads + new.total - old.total where review_id = new.review_id;
end;
create trigger a_host_is_reached after insert on reached_hosts begin
    insert into readers (review_id, hosts) values (new.review_id, 1)
        on conflict (review_id) do update set hosts = hosts + 1;
end;
create trigger readers_are_told after update of told_reads, told_hosts on readers begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

-- Followers over time: as many as there were at the end of a day.
create table follower_days (
    critic_id text not null references critics (id),
    day text not null,
    followers bigint not null,
    primary key (critic_id, day)
);

-- Those who liked or boosted something lately and whom nobody asked for yet.
create table strangers (
    actor text not null primary key,
    attempts bigint not null,
    due_at bigint not null
);
create index strangers_due on strangers (due_at);

-- Whose face is shown.
alter table actors add column discoverable bigint not null default 1; -- 0: is not to be shown around
alter table actors add column face bigint not null default 0;         -- 1: liked or boosted something lately; 2: not lately any more
create index reactions_newest on reactions (review_id, signed_at, actor) where state = 'on';

-- Somebody who comments, likes or boosts is shown with name and picture.
drop trigger actor_comes;
drop trigger actor_changes;
drop trigger actor_goes;
create trigger actor_comes after insert on actors begin
    insert into page_versions (subject, writer, version)
    select review_id, 0, 1 from (
        select review_id from comments where actor = new.uri
        union select review_id from reactions where actor = new.uri and state = 'on') touched
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger actor_changes after update on actors
when (old.name, old.handle, old.url, old.avatar, old.indexable, old.discoverable, old.deleted_at)
    is not (new.name, new.handle, new.url, new.avatar, new.indexable, new.discoverable, new.deleted_at)
begin
    insert into page_versions (subject, writer, version)
    select review_id, 0, 1 from (
        select review_id from comments where actor = new.uri
        union select review_id from reactions where actor = new.uri and state = 'on') touched
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger actor_goes after delete on actors begin
    insert into page_versions (subject, writer, version)
    select review_id, 0, 1 from (
        select review_id from comments where actor = old.uri
        union select review_id from reactions where actor = old.uri and state = 'on') touched
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;

-- Who blocks the critic, or is let through only after a look, is not shown.
create trigger blocker_comes after insert on blockers begin
    insert into page_versions (subject, writer, version)
    select distinct r.review_id, 0, 1 from reactions r join reviews w on w.id = r.review_id
    where r.actor = new.actor and r.state = 'on' and w.critic_id = new.critic_id
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger blocker_changes after update of state on blockers when old.state <> new.state begin
    insert into page_versions (subject, writer, version)
    select distinct r.review_id, 0, 1 from reactions r join reviews w on w.id = r.review_id
    where r.actor = new.actor and r.state = 'on' and w.critic_id = new.critic_id
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger domain_rule_comes after insert on domain_rules when new.rule = 'silence' begin
    insert into page_versions (subject, writer, version) select id, 0, 1 from critics where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger domain_rule_changes after update on domain_rules
when old.rule <> new.rule and 'silence' in (old.rule, new.rule) begin
    insert into page_versions (subject, writer, version) select id, 0, 1 from critics where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger domain_rule_goes after delete on domain_rules when old.rule = 'silence' begin
    insert into page_versions (subject, writer, version) select id, 0, 1 from critics where true
    on conflict (subject, writer) do update set version = version + 1;
end;
