-- What makes a delivery to a million followers a small thing: inboxes counted, hosts that wait their turn, totals kept.

-- Where a critic's followers are reached. Triggers keep the counts, so that no statement forgets them.
create table inboxes (
    critic_id text collate "C" not null references critics (id),
    inbox text collate "C" not null,             -- the shared one where there is one
    host text collate "C" not null,
    followers bigint not null,       -- how many are reached by it
    primary key (critic_id, inbox)
);
insert into inboxes (critic_id, inbox, host, followers)
    select critic_id, inbox, min(host), count(*) from followers where state = 'following' group by critic_id, inbox;
create function count_followers() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        update inboxes i set followers = i.followers - s.total
            from (select critic_id, inbox, count(*) as total from stale where state = 'following'
                group by critic_id, inbox) s
            where i.critic_id = s.critic_id and i.inbox = s.inbox;
    end if;
    insert into inboxes as i (critic_id, inbox, host, followers)
        select critic_id, inbox, min(host), count(*) from fresh where state = 'following' group by critic_id, inbox
            order by critic_id, inbox
        on conflict (critic_id, inbox) do update set followers = i.followers + excluded.followers, host = excluded.host;
    return null;
end $$;
create trigger followers_come after insert on followers referencing new table as fresh
    for each statement execute function count_followers();
create trigger followers_change after update on followers referencing old table as stale new table as fresh
    for each statement execute function count_followers();
drop index followers_by_inbox;
create index followers_in_order on followers (critic_id, state, actor);

-- A host is worked for by one worker at a time, and waits as one where it does not answer.
alter table hosts add column due_at bigint;          -- from when something is to be sent there
alter table hosts add column lease text collate "C";
alter table hosts add column lease_until bigint;
alter table hosts add column failures bigint not null default 0; -- in a row, since it last answered
alter table hosts add column failing_since bigint;
alter table hosts add column closed_until bigint;    -- when it is tried again
alter table hosts add column last_error text collate "C";
create index hosts_due on hosts (due_at) where due_at is not null;
create index hosts_leased on hosts (lease) where lease is not null;
create index hosts_failing on hosts (failing_since, host) where failing_since is not null;
insert into hosts (host, signature, updated_at, due_at)
    select host, 'cavage', min(created_at), min(next_attempt_at) from deliveries where state = 'queued' group by host
    on conflict (host) do update set due_at = excluded.due_at;

drop index deliveries_due;
drop index deliveries_by_object;
drop index deliveries_in_order;
alter table deliveries drop column lease;
alter table deliveries drop column lease_until;
create index deliveries_waiting on deliveries (host, next_attempt_at) where state = 'queued';
create index deliveries_in_order on deliveries (inbox, object_uri, activity_id) where state = 'queued';
create index deliveries_by_object on deliveries (object_uri);
create index deliveries_finished on deliveries (finished_at) where finished_at is not null;
create index deliveries_deferred on deliveries (activity_id, next_attempt_at) where state = 'queued' and attempts > 0;
create index deliveries_failed on deliveries (activity_id, finished_at) where state = 'failed';

-- How many inboxes of an activity are in which state; what is forgotten stays counted.
create table delivery_totals (
    activity_id text collate "C" not null references activities (id) on delete cascade,
    state text collate "C" not null,
    total bigint not null,
    primary key (activity_id, state)
);
insert into delivery_totals (activity_id, state, total)
    select activity_id, state, count(*) from deliveries group by activity_id, state;
create function count_deliveries() returns trigger language plpgsql as $$
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
create trigger deliveries_come after insert on deliveries referencing new table as fresh
    for each statement execute function count_deliveries();
create trigger deliveries_change after update on deliveries referencing old table as stale new table as fresh
    for each statement execute function count_deliveries();
