-- How often what pages show was changed, by subject: a review's id, a critic's id, or 'lists'. A page that was
-- rendered is good for as long as the sum over its subjects is what it was. Triggers count, so that nothing that
-- writes can forget to, in whatever process it runs.
create table page_versions (
    subject text not null,
    writer bigint not null,          -- 0: this database has one writer
    version bigint not null,
    primary key (subject, writer)
);

create trigger comment_comes after insert on comments begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger comment_changes after update on comments begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger comment_goes after delete on comments begin
    insert into page_versions (subject, writer, version) values (old.review_id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

create trigger reaction_comes after insert on reactions when new.state = 'on' begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger reaction_changes after update on reactions when (old.state = 'on') <> (new.state = 'on') begin
    insert into page_versions (subject, writer, version) values (new.review_id, 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger reaction_goes after delete on reactions when old.state = 'on' begin
    insert into page_versions (subject, writer, version) values (old.review_id, 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

-- A review shows on its neighbours, too, which are the same critic's.
create trigger review_comes after insert on reviews begin
    insert into page_versions (subject, writer, version) values (new.id, 0, 1), (new.critic_id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger review_changes after update on reviews begin
    insert into page_versions (subject, writer, version) values (new.id, 0, 1), (new.critic_id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger review_goes after delete on reviews begin
    insert into page_versions (subject, writer, version) values (old.id, 0, 1), (old.critic_id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;

create trigger critic_comes after insert on critics begin
    insert into page_versions (subject, writer, version) values (new.id, 0, 1), ('lists', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
-- Each command brings the critics of the config file into the database: most of them change nothing.
create trigger critic_changes after update on critics
when (old.handle, old.name, old.summary, old.avatar, old.avatar_name, old.avatar_type, old.links, old.also_known_as,
        old.attribution_domains, old.hide_followers, old.moved_to)
    is not (new.handle, new.name, new.summary, new.avatar, new.avatar_name, new.avatar_type, new.links,
        new.also_known_as, new.attribution_domains, new.hide_followers, new.moved_to)
begin
    insert into page_versions (subject, writer, version)
    select subject, 0, 1 from (
        select new.id as subject union select 'lists' union select review_id from comments where critic_id = new.id)
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;

-- Somebody who comments is shown with name and picture.
create trigger actor_comes after insert on actors begin
    insert into page_versions (subject, writer, version)
    select distinct review_id, 0, 1 from comments where actor = new.uri
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger actor_changes after update on actors
when (old.name, old.handle, old.url, old.avatar, old.indexable)
    is not (new.name, new.handle, new.url, new.avatar, new.indexable)
begin
    insert into page_versions (subject, writer, version)
    select distinct review_id, 0, 1 from comments where actor = new.uri
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger actor_goes after delete on actors begin
    insert into page_versions (subject, writer, version)
    select distinct review_id, 0, 1 from comments where actor = old.uri
    on conflict (subject, writer) do update set version = version + 1;
end;

-- A poster that was fetched anew.
create trigger medium_changes after update on media
when (old.name, old.media_type, old.width, old.height) is not (new.name, new.media_type, new.width, new.height)
begin
    insert into page_versions (subject, writer, version)
    select subject, 0, 1 from (
        select 'lists' as subject union select id from reviews where poster_media = new.id)
    where true
    on conflict (subject, writer) do update set version = version + 1;
end;
