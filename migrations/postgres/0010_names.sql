-- Tables and columns get the names that ActivityPub servers use, and every column that holds a state or a kind gets a
-- CHECK constraint. Triggers leave the migrations: from now on they are in `migrations/triggers/`.

drop function count_followers() cascade;
drop function count_deliveries() cascade;
drop function comments_changed() cascade;
drop function reactions_changed() cascade;
drop function review_changed() cascade;
drop function critic_changed() cascade;
drop function actor_changed() cascade;
drop function medium_changed() cascade;
drop function shelved_changed() cascade;
drop function shelves_shown() cascade;
drop function reactions_counted() cascade;
drop function comments_counted() cascade;
drop function reads_counted() cascade;
drop function hosts_counted() cascade;
drop function readers_told() cascade;
drop function blocker_changed() cascade;
drop function domain_rule_changed() cascade;
drop function page_changed(text[]);

update settings set key = 'delivery_cursor' where key = 'reach';

-- The constraints and indexes of a renamed table begin with its new name, too.
do $$
declare
    renamed text[] := array[
        ['keys', 'signing_keys'],
        ['entries', 'feed_entries'],
        ['inboxes', 'follower_inboxes'],
        ['follower_days', 'daily_followers'],
        ['received', 'inbox_activities'],
        ['withdrawals', 'tombstones'],
        ['stamps', 'authorizations'],
        ['shelved', 'browse_index'],
        ['shelves', 'browse_terms'],
        ['search', 'search_index'],
        ['tallies', 'review_stats'],
        ['arrivals', 'reaction_events'],
        ['reads', 'daily_views'],
        ['readers', 'view_counts'],
        ['strangers', 'unresolved_actors'],
        ['faces', 'facepile']];
    names text[];
    part text;
begin
    foreach names slice 1 in array renamed loop
        execute format('alter table %I rename to %I', names[1], names[2]);
        for part in
            select conname from pg_constraint
            where conrelid = names[2]::regclass and starts_with(conname, names[1] || '_')
        loop
            execute format('alter table %I rename constraint %I to %I', names[2], part,
                names[2] || substr(part, length(names[1]) + 1));
        end loop;
        for part in
            select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
            where i.indrelid = names[2]::regclass and starts_with(c.relname, names[1] || '_')
                and not exists (select 1 from pg_constraint where conindid = i.indexrelid) -- it was renamed with that
        loop
            execute format('alter index %I rename to %I', part, names[2] || substr(part, length(names[1]) + 1));
        end loop;
    end loop;
end $$;
alter sequence arrivals_id_seq rename to reaction_events_id_seq;
alter index reviews_unshelved rename to reviews_not_indexed;
alter index actors_by_icon rename to actors_with_new_icon;
alter index activities_of_answers rename to activities_that_respond;
alter index hosts_due_again rename to hosts_failing_due;

alter table critics rename column avatar to avatar_source;
alter table critics rename column announced to announced_hash;
alter table actors rename column avatar_of to fetched_icon;
alter table reviews rename column shelved to browse_indexed;
alter table feed_entries rename column held_for to hold_reason;
alter table feed_log rename column at to created_at;
alter table inbox_activities rename column waits_for to waiting_for;
alter table hosts rename column signature to signature_scheme;
alter table hosts rename column closed_until to retry_at;
alter table search_index rename column place to doc_id;
alter table view_counts rename column reads to views;
alter table view_counts rename column told_reads to published_views;
alter table view_counts rename column told_hosts to published_hosts;

-- next_poll: a later poll releases it; similar: the critic decides
update feed_entries set hold_reason = case hold_reason when 'turn' then 'next_poll' else 'similar' end
    where hold_reason in ('turn', 'likeness');

alter table reviews add check (state in ('held', 'scheduled', 'archive', 'published', 'retracted'));
alter table feed_entries add check (hold_reason in ('next_poll', 'similar'));
alter table feed_log add check (decision in ('published', 'archived', 'revised', 'held', 'scheduled', 'matched',
    'skipped', 'failed'));
alter table followers add check (state in ('following', 'pending', 'gone', 'preempted'));
alter table activities add check (kind in ('Create', 'Update', 'Delete', 'Accept', 'Reject', 'Move', 'Forward'));
alter table deliveries add check (kind in ('Create', 'Update', 'Delete', 'Accept', 'Reject', 'Move', 'Forward')),
    add check (state in ('queued', 'done', 'failed', 'superseded'));
alter table delivery_totals add check (state in ('queued', 'done', 'failed', 'superseded'));
alter table inbox_activities add check (state in ('queued', 'done', 'dropped', 'parked'));
alter table comments add check (state in ('shown', 'held', 'hidden', 'removed', 'withheld', 'private', 'deleted'));
alter table reactions add check (kind in ('like', 'boost')), add check (state in ('on', 'off', 'preempted'));
alter table hosts add check (signature_scheme in ('cavage', 'rfc9421'));
alter table domain_rules add check (rule in ('block', 'silence', 'allow'));
alter table blockers add check (state in ('on', 'off', 'preempted'));
alter table authorizations add check (state in ('granted', 'revoked', 'withdrawn'));
alter table reports add check (state in ('open', 'closed'));
alter table browse_index add check (kind in ('all', 'critic', 'film', 'person', 'tag', 'rating'));
alter table browse_terms add check (kind in ('all', 'critic', 'film', 'person', 'tag', 'rating'));
alter table review_stats add check (kind in ('like', 'boost', 'comment'));
alter table reaction_events add check (kind in ('like', 'boost', 'comment', 'undo'));
