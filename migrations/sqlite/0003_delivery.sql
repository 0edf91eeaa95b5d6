-- What makes a delivery to a million followers a small thing: inboxes counted, hosts that wait their turn, totals kept.

-- Where a critic's followers are reached. Triggers keep the counts, so that no statement forgets them.
create table inboxes (
    critic_id text not null references critics (id),
    inbox text not null,             -- the shared one where there is one
    host text not null,
    followers bigint not null,       -- how many are reached by it
    primary key (critic_id, inbox)
);
insert into inboxes (critic_id, inbox, host, followers)
    select critic_id, inbox, min(host), count(*) from followers where state = 'following' group by critic_id, inbox;
create trigger followers_come after insert on followers when new.state = 'following' begin
    insert into inboxes (critic_id, inbox, host, followers) values (new.critic_id, new.inbox, new.host, 1)
        on conflict (critic_id, inbox) do update set followers = followers + 1, host = excluded.host;
end;
create trigger followers_change after update of state, inbox on followers begin
    update inboxes set followers = followers - 1
        where old.state = 'following' and critic_id = old.critic_id and inbox = old.inbox;
    insert into inboxes (critic_id, inbox, host, followers)
        select new.critic_id, new.inbox, new.host, 1 where new.state = 'following'
        on conflict (critic_id, inbox) do update set followers = followers + 1, host = excluded.host;
end;
drop index followers_by_inbox;
create index followers_in_order on followers (critic_id, state, actor);

-- A host is worked for by one worker at a time, and waits as one where it does not answer.
alter table hosts add column due_at bigint;          -- from when something is to be sent there
alter table hosts add column lease text;
alter table hosts add column lease_until bigint;
alter table hosts add column failures bigint not null default 0; -- in a row, since it last answered
alter table hosts add column failing_since bigint;
alter table hosts add column closed_until bigint;    -- when it is tried again
alter table hosts add column last_error text;
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
    activity_id text not null references activities (id) on delete cascade,
    state text not null,
    total bigint not null,
    primary key (activity_id, state)
);
insert into delivery_totals (activity_id, state, total)
    select activity_id, state, count(*) from deliveries group by activity_id, state;
create trigger deliveries_come after insert on deliveries begin
    insert into delivery_totals (activity_id, state, total) values (new.activity_id, new.state, 1)
        on conflict (activity_id, state) do update set total = total + 1;
end;
create trigger deliveries_change after update of state on deliveries when old.state <> new.state begin
    update delivery_totals set total = total - 1 where activity_id = old.activity_id and state = old.state;
    insert into delivery_totals (activity_id, state, total) values (new.activity_id, new.state, 1)
        on conflict (activity_id, state) do update set total = total + 1;
end;
