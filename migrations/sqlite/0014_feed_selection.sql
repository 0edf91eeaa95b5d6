-- Which entries of a feed are reviews, as JSON; the config says it. And the sound or video of a review, as JSON.
alter table feeds add column selection text not null default '{}';
alter table reviews add column recording text;
