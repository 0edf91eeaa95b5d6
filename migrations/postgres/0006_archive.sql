-- The archive's shelves and its full text. What is public stands on them; both are written with the review.

-- A review that was written before there were shelves has 0 here, and is put on them at the next start.
alter table reviews add column shelved bigint not null default 0;
create index reviews_unshelved on reviews (id) where shelved = 0;

-- Which public review stands on which shelf.
create table shelved (
    kind text collate "C" not null,  -- all, critic, film, person, tag, rating
    slug text collate "C" not null,  -- the last part of the shelf's address
    original_date bigint not null,
    review_id text collate "C" not null references reviews (id),
    roles bigint not null,           -- of a person: 1 directs, 2 writes, 4 stars
    name text collate "C" not null,  -- as this review calls it
    sort text collate "C" not null,  -- where it stands among its kind
    primary key (kind, slug, original_date, review_id)
);
create index shelved_by_review on shelved (review_id);

-- Tags are shelves like others now.
drop table review_tags;

-- The shelves that have anything on them, and how much. Triggers keep count, so that no statement forgets it.
create table shelves (
    kind text collate "C" not null,
    slug text collate "C" not null,
    name text collate "C" not null,  -- as the review calls it that was put there last
    sort text collate "C" not null,
    total bigint not null,
    primary key (kind, slug)
);
create index shelves_in_order on shelves (kind, sort, slug);
create index shelves_by_total on shelves (kind, total, slug);
create function shelved_changed() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into shelves (kind, slug, name, sort, total) values (new.kind, new.slug, new.name, new.sort, 1)
            on conflict (kind, slug) do update
            set total = shelves.total + 1, name = excluded.name, sort = excluded.sort;
    else
        update shelves set total = total - 1 where kind = old.kind and slug = old.slug;
        delete from shelves where kind = old.kind and slug = old.slug and total <= 0;
    end if;
    return null;
end $$;
create trigger shelved_changes after insert or delete on shelved
    for each row execute function shelved_changed();

-- Words alone, without the text; the newest review has the highest place.
create table search (
    place bigint not null primary key,
    review_id text collate "C" not null unique references reviews (id),
    words tsvector not null
);
create index search_words on search using gin (words);

-- A review shows beside others of its film and its director, whoever wrote them: 'reviews' counts for all of them.
create or replace function review_changed() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform page_changed(array[old.id, old.critic_id, 'lists', 'reviews']);
    else
        perform page_changed(array[new.id, new.critic_id, 'lists', 'reviews']);
    end if;
    return null;
end $$;
