-- Reviews that were stored before all their images could be fetched; the worker fetches them. The body, compressed, has the
-- URLs of the images.
create table pending_images (
    review_id text primary key references reviews (id),
    since bigint not null,
    next_attempt_at bigint not null,
    lease text,
    lease_until bigint,
    body blob not null
);
create index pending_images_by_next_attempt on pending_images (next_attempt_at);
create index pending_images_by_lease on pending_images (lease) where lease is not null;
