-- The archive's shelves and its full text. What is public stands on them; both are written with the review.

-- A review that was written before there were shelves has 0 here, and is put on them at the next start.
alter table reviews add column shelved bigint not null default 0;
create index reviews_unshelved on reviews (id) where shelved = 0;

-- Which public review stands on which shelf.
create table shelved (
    kind text not null,              -- all, critic, film, person, tag, rating
    slug text not null,              -- the last part of the shelf's address
    original_date bigint not null,
    review_id text not null references reviews (id),
    roles bigint not null,           -- of a person: 1 directs, 2 writes, 4 stars
    name text not null,              -- as this review calls it
    sort text not null,              -- where it stands among its kind
    primary key (kind, slug, original_date, review_id)
) without rowid;
create index shelved_by_review on shelved (review_id);

-- Tags are shelves like others now.
drop table review_tags;

-- The shelves that have anything on them, and how much. Triggers keep count, so that no statement forgets it.
create table shelves (
    kind text not null,
    slug text not null,
    name text not null,              -- as the review calls it that was put there last
    sort text not null,
    total bigint not null,
    primary key (kind, slug)
);
create index shelves_in_order on shelves (kind, sort, slug);
create index shelves_by_total on shelves (kind, total, slug);
create trigger shelved_comes after insert on shelved begin
    insert into shelves (kind, slug, name, sort, total) values (new.kind, new.slug, new.name, new.sort, 1)
        on conflict (kind, slug) do update set total = total + 1, name = excluded.name, sort = excluded.sort;
end;
create trigger shelved_goes after delete on shelved begin
    update shelves set total = total - 1 where kind = old.kind and slug = old.slug;
    delete from shelves where kind = old.kind and slug = old.slug and total <= 0;
end;

-- Words alone, without the text; the newest review has the highest place.
create virtual table search using fts5 (
    head, body, marks, content = '', contentless_delete = 1, detail = 'column', tokenize = 'ascii'
);
create table search_places (
    place integer not null primary key,
    review_id text not null unique references reviews (id)
);

-- A review shows beside others of its film and its director, whoever wrote them: 'reviews' counts for all of them.
drop trigger review_comes;
drop trigger review_changes;
drop trigger review_goes;
create trigger review_comes after insert on reviews begin
    insert into page_versions (subject, writer, version)
    values (new.id, 0, 1), (new.critic_id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger review_changes after update on reviews begin
    insert into page_versions (subject, writer, version)
    values (new.id, 0, 1), (new.critic_id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
create trigger review_goes after delete on reviews begin
    insert into page_versions (subject, writer, version)
    values (old.id, 0, 1), (old.critic_id, 0, 1), ('lists', 0, 1), ('reviews', 0, 1)
    on conflict (subject, writer) do update set version = version + 1;
end;
