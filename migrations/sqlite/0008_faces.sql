-- Whose face is at hand, told for each review by itself; what makes pages stale, no more and no less; what of the full
-- text is written already.

-- Those who were lately among the last who liked or boosted a review. A picture is wanted while its owner stands here,
-- for whatever review, or comments.
create table faces (
    review_id text not null references reviews (id),
    actor text not null,
    primary key (review_id, actor)
) without rowid;
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

-- Who takes back what they did leaves their place to others: that is looked at like what comes. `arrivals.kind` is
-- 'undo' then.
drop trigger reaction_is_counted_again;
create trigger reaction_is_counted_again after update of state on reactions
when (old.state = 'on') <> (new.state = 'on') begin
    insert into tallies (review_id, kind, writer, total)
        values (new.review_id, new.kind, 0, case when new.state = 'on' then 1 else -1 end)
        on conflict (review_id, kind, writer) do update set total = total + excluded.total;
    insert into arrivals (review_id, actor, kind)
        values (new.review_id, new.actor, case when new.state = 'on' then new.kind else 'undo' end);
end;

-- No page shows a review that waits or is held, and none shows a change of what only we compare. `shelved` is written
-- last where a review is put on its shelves later.
drop trigger review_comes;
drop trigger review_changes;
drop trigger review_goes;
create trigger review_comes after insert on reviews when new.state in ('archive', 'published') begin
    insert into page_versions (subject, writer, version)
    values (new.id, 0, 1), (new.critic_id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger review_changes after update on reviews
when (old.state in ('archive', 'published') or new.state in ('archive', 'published'))
    and (old.slug, old.state, old.title, old.subtitle, old.body, old.teaser, old.film, old.rating, old.tags,
        old.language, old.canonical_url, old.poster_url, old.poster_alt, old.poster_media, old.original_date,
        old.released_at, old.revised_at, old.retracted_at, old.shelved)
    is not (new.slug, new.state, new.title, new.subtitle, new.body, new.teaser, new.film, new.rating, new.tags,
        new.language, new.canonical_url, new.poster_url, new.poster_alt, new.poster_media, new.original_date,
        new.released_at, new.revised_at, new.retracted_at, new.shelved)
begin
    insert into page_versions (subject, writer, version)
    values (new.id, 0, 1), (new.critic_id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger review_goes after delete on reviews when old.state in ('archive', 'published') begin
    insert into page_versions (subject, writer, version)
    values (old.id, 0, 1), (old.critic_id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

-- A later Marquee may put a review on other shelves though nothing in it changed.
create trigger shelf_gains after insert on shelved begin
    insert into page_versions (subject, writer, version) values ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger shelf_loses after delete on shelved begin
    insert into page_versions (subject, writer, version) values ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

-- A critic is named, by name and handle, beside other critics' reviews of the film, and on the map of the site.
drop trigger critic_comes;
drop trigger critic_changes;
create trigger critic_comes after insert on critics begin
    insert into page_versions (subject, writer, version) values (new.id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger critic_changes after update on critics
when (old.handle, old.name, old.summary, old.avatar, old.avatar_name, old.avatar_type, old.links, old.also_known_as,
        old.attribution_domains, old.hide_followers, old.moved_to)
    is not (new.handle, new.name, new.summary, new.avatar, new.avatar_name, new.avatar_type, new.links,
        new.also_known_as, new.attribution_domains, new.hide_followers, new.moved_to)
begin
    insert into page_versions (subject, writer, version)
    select subject, 0, 1 from (
        select new.id as subject union select 'lists' union select review_id from comments where critic_id = new.id
        union select 'reviews' where (old.handle, old.name) is not (new.handle, new.name))
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;

-- Whether somebody's face is shown depends on whether the critics let them through.
drop trigger actor_changes;
create trigger actor_changes after update on actors
when (old.name, old.handle, old.url, old.avatar, old.indexable, old.discoverable, old.deleted_at, old.trusted)
    is not (new.name, new.handle, new.url, new.avatar, new.indexable, new.discoverable, new.deleted_at, new.trusted)
begin
    insert into page_versions (subject, writer, version)
    select review_id, 0, 1 from (
        select review_id from comments where actor = new.uri
        union select review_id from reactions where actor = new.uri and state = 'on') touched
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;

-- An allowed server under a silenced one, or where only named servers are heard, is shown.
drop trigger domain_rule_comes;
drop trigger domain_rule_changes;
drop trigger domain_rule_goes;
create trigger domain_rule_comes after insert on domain_rules when new.rule <> 'block' begin
    insert into page_versions (subject, writer, version) select id, 0, 1 from critics where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger domain_rule_changes after update on domain_rules when old.rule <> new.rule begin
    insert into page_versions (subject, writer, version) select id, 0, 1 from critics where true
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger domain_rule_goes after delete on domain_rules when old.rule <> 'block' begin
    insert into page_versions (subject, writer, version) select id, 0, 1 from critics where true
    on conflict (subject, writer) do update set version = version + 1;
end;

-- What was indexed of a review, as a hash: it is indexed again only where that changed.
alter table search_places add column hash text;
