-- Whose face is at hand, told for each review by itself; what makes pages stale, no more and no less; what of the full
-- text is written already.

-- Those who were lately among the last who liked or boosted a review. A picture is wanted while its owner stands here,
-- for whatever review, or comments.
create table faces (
    review_id text collate "C" not null references reviews (id),
    actor text collate "C" not null,
    primary key (review_id, actor)
);
create index faces_by_actor on faces (actor);
insert into faces (review_id, actor)
    select distinct review_id, actor from (
        select review_id, actor,
            row_number() over (partition by review_id order by signed_at desc, actor desc) as place
        from reactions where state = 'on') newest
    where place <= 96;
alter table actors drop column face;

-- Those of whom a picture is here are gone through in their order.
create index actors_with_avatar on actors (uri) where avatar is not null;

-- Who takes back what they did leaves their place to others: that is looked at like what comes, once for each review.
-- `arrivals.kind` is 'undo' then.
create or replace function reactions_counted() returns trigger language plpgsql as $$
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
        insert into arrivals (review_id, actor, kind)
            select f.review_id, min(f.actor), 'undo' from fresh f
            join stale s on s.review_id = f.review_id and s.actor = f.actor and s.kind = f.kind
            where f.state <> 'on' and s.state = 'on' group by f.review_id;
    else
        insert into tallies as t (review_id, kind, writer, total)
            select review_id, kind, pg_backend_pid(), -count(*) from stale where state = 'on' group by review_id, kind
            on conflict (review_id, kind, writer) do update set total = t.total + excluded.total;
    end if;
    return null;
end $$;

-- No page shows a review that waits or is held, and none shows a change of what only we compare. `shelved` is written
-- last where a review is put on its shelves later.
drop trigger review_changes on reviews;
create trigger review_comes after insert on reviews for each row
    when (new.state in ('archive', 'published')) execute function review_changed();
create trigger review_changes after update on reviews for each row
    when ((old.state in ('archive', 'published') or new.state in ('archive', 'published'))
        and (old.slug, old.state, old.title, old.subtitle, old.body, old.teaser, old.film, old.rating, old.tags,
            old.language, old.canonical_url, old.poster_url, old.poster_alt, old.poster_media, old.original_date,
            old.released_at, old.revised_at, old.retracted_at, old.shelved)
        is distinct from (new.slug, new.state, new.title, new.subtitle, new.body, new.teaser, new.film, new.rating,
            new.tags, new.language, new.canonical_url, new.poster_url, new.poster_alt, new.poster_media,
            new.original_date, new.released_at, new.revised_at, new.retracted_at, new.shelved))
    execute function review_changed();
create trigger review_goes after delete on reviews for each row
    when (old.state in ('archive', 'published')) execute function review_changed();

-- A later Marquee may put a review on other shelves though nothing in it changed.
create function shelves_shown() returns trigger language plpgsql as $$
begin
    perform page_changed(array['lists', 'reviews']);
    return null;
end $$;
create trigger shelf_gains after insert on shelved for each statement execute function shelves_shown();
create trigger shelf_loses after delete on shelved for each statement execute function shelves_shown();

-- A critic is named, by name and handle, beside other critics' reviews of the film, and on the map of the site.
create or replace function critic_changed() returns trigger language plpgsql as $$
begin
    perform page_changed(array[new.id, 'lists'] || array(select review_id from comments where critic_id = new.id));
    if tg_op = 'INSERT' then
        perform page_changed(array['reviews']);
    elsif (old.handle, old.name) is distinct from (new.handle, new.name) then
        perform page_changed(array['reviews']);
    end if;
    return null;
end $$;

-- Whether somebody's face is shown depends on whether the critics let them through.
drop trigger actor_changes on actors;
create trigger actor_changes after update on actors for each row
    when ((old.name, old.handle, old.url, old.avatar, old.indexable, old.discoverable, old.deleted_at, old.trusted)
        is distinct from (new.name, new.handle, new.url, new.avatar, new.indexable, new.discoverable, new.deleted_at,
            new.trusted))
    execute function actor_changed();

-- An allowed server under a silenced one, or where only named servers are heard, is shown.
drop trigger domain_rule_comes on domain_rules;
drop trigger domain_rule_changes on domain_rules;
drop trigger domain_rule_goes on domain_rules;
create trigger domain_rule_comes after insert on domain_rules for each row
    when (new.rule <> 'block') execute function domain_rule_changed();
create trigger domain_rule_changes after update on domain_rules for each row
    when (old.rule <> new.rule) execute function domain_rule_changed();
create trigger domain_rule_goes after delete on domain_rules for each row
    when (old.rule <> 'block') execute function domain_rule_changed();

-- What was indexed of a review, as a hash: it is indexed again only where that changed.
alter table search add column hash text collate "C";
