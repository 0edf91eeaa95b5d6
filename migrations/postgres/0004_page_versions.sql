-- How often what pages show was changed, by subject: a review's id, a critic's id, or 'lists'. A page that was
-- rendered is good for as long as the sum over its subjects is what it was. Triggers count, so that nothing that
-- writes can forget to, in whatever process it runs. Each connection counts in a row of its own: transactions
-- never wait for each other here, nor for each other in a circle.
create table page_versions (
    subject text collate "C" not null,
    writer bigint not null,          -- the process of the connection
    version bigint not null,
    primary key (subject, writer)
);

create function page_changed(subjects text[]) returns void language sql as $$
    insert into page_versions (subject, writer, version)
    select distinct subject, pg_backend_pid(), 1 from unnest(subjects) as subject
    on conflict (subject, writer) do update set version = page_versions.version + 1
$$;

-- Of many comments that one statement changes, each review counts once.
create function comments_changed() returns trigger language plpgsql as $$
begin
    perform page_changed((select array_agg(distinct review_id) || array['lists'] from changed having count(*) > 0));
    return null;
end $$;
create trigger comment_comes after insert on comments referencing new table as changed
    for each statement execute function comments_changed();
create trigger comment_changes after update on comments referencing new table as changed
    for each statement execute function comments_changed();
create trigger comment_goes after delete on comments referencing old table as changed
    for each statement execute function comments_changed();

create function reactions_changed() returns trigger language plpgsql as $$
begin
    perform page_changed((select array_agg(distinct review_id) from changed));
    return null;
end $$;
create trigger reaction_comes after insert on reactions referencing new table as changed
    for each statement execute function reactions_changed();
create trigger reaction_changes after update on reactions referencing new table as changed
    for each statement execute function reactions_changed();
create trigger reaction_goes after delete on reactions referencing old table as changed
    for each statement execute function reactions_changed();

-- A review shows on its neighbours, too, which are the same critic's.
create function review_changed() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform page_changed(array[old.id, old.critic_id, 'lists']);
    else
        perform page_changed(array[new.id, new.critic_id, 'lists']);
    end if;
    return null;
end $$;
create trigger review_changes after insert or update or delete on reviews
    for each row execute function review_changed();

create function critic_changed() returns trigger language plpgsql as $$
begin
    perform page_changed(array[new.id, 'lists'] || array(select review_id from comments where critic_id = new.id));
    return null;
end $$;
create trigger critic_comes after insert on critics for each row execute function critic_changed();
-- Each command brings the critics of the config file into the database: most of them change nothing.
create trigger critic_changes after update on critics for each row
    when ((old.handle, old.name, old.summary, old.avatar, old.avatar_name, old.avatar_type, old.links,
            old.also_known_as, old.attribution_domains, old.hide_followers, old.moved_to)
        is distinct from (new.handle, new.name, new.summary, new.avatar, new.avatar_name, new.avatar_type, new.links,
            new.also_known_as, new.attribution_domains, new.hide_followers, new.moved_to))
    execute function critic_changed();

-- Somebody who comments is shown with name and picture.
create function actor_changed() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform page_changed(array(select review_id from comments where actor = old.uri));
    else
        perform page_changed(array(select review_id from comments where actor = new.uri));
    end if;
    return null;
end $$;
create trigger actor_comes after insert or delete on actors for each row execute function actor_changed();
create trigger actor_changes after update on actors for each row
    when ((old.name, old.handle, old.url, old.avatar, old.indexable)
        is distinct from (new.name, new.handle, new.url, new.avatar, new.indexable))
    execute function actor_changed();

-- A poster that was fetched anew.
create function medium_changed() returns trigger language plpgsql as $$
begin
    perform page_changed(array['lists'] || array(select id from reviews where poster_media = new.id));
    return null;
end $$;
create trigger medium_changes after update on media for each row
    when ((old.name, old.media_type, old.width, old.height)
        is distinct from (new.name, new.media_type, new.width, new.height))
    execute function medium_changed();
