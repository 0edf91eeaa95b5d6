-- Hosts that answer have their turn before those that do not, however many those are.
drop index hosts_due;
create index hosts_due on hosts (due_at) where due_at is not null and failures = 0;
create index hosts_due_again on hosts (due_at) where due_at is not null and failures > 0;

-- Whoever is reached at an inbox that is gone.
create index followers_by_inbox on followers (inbox) where state in ('following', 'pending');
