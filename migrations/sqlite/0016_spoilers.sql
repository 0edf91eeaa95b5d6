-- 1: the critic warns of spoilers in the review.
alter table reviews add column has_spoilers bigint not null default 0;
