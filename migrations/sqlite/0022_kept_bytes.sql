-- Bytes of activities that were stored, by UTC day (days since 1970) and owner: a domain, a suffix that domains share ('*.…'), or
-- '' for all together.
create table kept_bytes (
    day bigint not null,
    owner text not null,
    bytes bigint not null,
    primary key (day, owner)
);

-- What the largest owners use of their budgets, as each process writes it from time to time. The owner '' stands for all.
create table budget_usage (
    process text not null,
    owner text not null,
    budget text not null,
    used bigint not null,
    amount bigint not null,
    refused bigint not null,
    written_at bigint not null,
    primary key (process, owner, budget)
);
create index budget_usage_by_owner on budget_usage (owner);
