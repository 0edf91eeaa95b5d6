-- Activities that need requests to other servers wait apart from those that need none, and each domain in turn.
alter table inbox_activities add column lane text not null default 'ready' check (lane in ('ready', 'network'));
alter table inbox_activities add column domain text not null default '';
alter table inbox_activities add column turn bigint not null default 0;
drop index inbox_activities_due;
create index inbox_activities_due on inbox_activities (lane, next_attempt_at) where state = 'queued';
create index inbox_activities_turn on inbox_activities (lane, turn, id) where state = 'queued';
