//! A random sequence of actions by many actors. Each action is done and undone at most once.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::activities::{PUBLIC, as2_date};
use crate::support::now;
use crate::support::remote::Document;
use crate::support::rng::Rng;

pub(super) const ACTORS: usize = 40;
pub(super) const ARTICLES: usize = 3;

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";

/// An action that happens once and may be undone once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Follow,
    Like(usize),
    Boost(usize),
    Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Do(Relation),
    Undo(Relation, ById),
    Create(usize),
    Update(usize),
    Delete(usize),
    /// The account is deleted.
    Leave,
}

/// Whether an Undo names its object only by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ById(bool);

#[derive(Debug, Clone, Copy)]
pub(super) struct Action {
    pub(super) actor: usize,
    pub(super) step: Step,
}

/// The parent of a note.
#[derive(Debug, Clone, Copy)]
enum Parent {
    Article(usize),
    Note(usize),
}

#[derive(Debug, Clone, Copy)]
struct Note {
    author: usize,
    parent: Parent,
    created: usize,
    updated: Option<usize>,
    is_deleted: bool,
}

/// All actions in order, a second apart.
pub(super) struct Plan {
    pub(super) actions: Vec<Action>,
    notes: Vec<Note>,
    begin: Timestamp,
}

/// The URLs of one run.
pub(super) struct Ids {
    pub(super) critic: String,
    pub(super) articles: Vec<String>,
    pub(super) remote: String,
}

pub(super) fn name(actor: usize) -> String {
    format!("actor{actor}")
}

/// The label of a note, found in the text of its comment on a page; `deleted` if it has been deleted.
pub(super) fn note_label(text: &str) -> &str {
    let Some(start) = text.find("Note ") else { return "deleted" };
    let end = text[start..].find(" indeed").map_or(text.len(), |end| start + end);
    &text[start..end]
}

/// The state of an actor while the plan is generated.
#[derive(Clone, Default)]
struct ActorState {
    /// For each action, whether it is undone.
    relations: Vec<(Relation, bool)>,
    is_deleted_account: bool,
}

impl Plan {
    pub(super) fn new(rng: &mut Rng, count: usize) -> Self {
        let begin = now() - SignedDuration::from_hours(3);
        let mut plan = Self { actions: Vec::new(), notes: Vec::new(), begin };
        let mut states = vec![ActorState::default(); ACTORS];
        while plan.actions.len() < count {
            let actor = rng.below(ACTORS);
            if states[actor].is_deleted_account {
                continue;
            }
            if let Some(step) = plan.step(rng, actor, &mut states[actor]) {
                plan.actions.push(Action { actor, step });
            }
        }
        plan
    }

    /// Chooses the next action of an actor; `None` if the random choice is not possible now.
    fn step(&mut self, rng: &mut Rng, actor: usize, state: &mut ActorState) -> Option<Step> {
        match rng.below(1_000) {
            0..300 => {
                let article = rng.below(ARTICLES);
                let relations =
                    [Relation::Follow, Relation::Block, Relation::Like(article), Relation::Boost(article)];
                let relation = *rng.pick(&relations);
                match state.relations.iter_mut().find(|(known, _)| *known == relation) {
                    None => {
                        state.relations.push((relation, false));
                        Some(Step::Do(relation))
                    }
                    Some((_, undone @ false)) => {
                        *undone = true;
                        Some(Step::Undo(relation, ById(rng.in_percent(50))))
                    }
                    Some(_) => None,
                }
            }
            300..700 => {
                let is_reply_to_note = !self.notes.is_empty() && rng.in_percent(60);
                let parent = if is_reply_to_note {
                    Parent::Note(rng.below(self.notes.len()))
                } else {
                    Parent::Article(rng.below(ARTICLES))
                };
                let created = self.actions.len();
                self.notes.push(Note { author: actor, parent, created, updated: None, is_deleted: false });
                Some(Step::Create(self.notes.len() - 1))
            }
            700..850 => {
                let now = self.actions.len();
                let number =
                    self.pick_own_note(rng, actor, |note| !note.is_deleted && note.updated.is_none())?;
                self.notes[number].updated = Some(now);
                Some(Step::Update(number))
            }
            850..995 => {
                let number = self.pick_own_note(rng, actor, |note| !note.is_deleted)?;
                self.notes[number].is_deleted = true;
                Some(Step::Delete(number))
            }
            _ => {
                state.is_deleted_account = true;
                self.notes
                    .iter_mut()
                    .filter(|note| note.author == actor)
                    .for_each(|note| note.is_deleted = true);
                Some(Step::Leave)
            }
        }
    }

    fn pick_own_note(&self, rng: &mut Rng, actor: usize, fits: impl Fn(&Note) -> bool) -> Option<usize> {
        let notes = self.notes.iter().enumerate();
        let own: Vec<usize> =
            notes.filter(|(_, note)| note.author == actor && fits(note)).map(|(number, _)| number).collect();
        (!own.is_empty()).then(|| *rng.pick(&own))
    }

    /// The time of an action.
    pub(super) fn moment(&self, at: usize) -> Timestamp {
        self.begin + SignedDuration::from_secs(i64::try_from(at).expect("a number"))
    }

    fn note(&self, number: usize, is_updated: bool, ids: &Ids) -> Value {
        let note = self.notes[number];
        let author = ids.actor(note.author);
        let parent = match note.parent {
            Parent::Article(article) => ids.articles[article].clone(),
            Parent::Note(parent) => ids.note(self.notes[parent].author, parent),
        };
        let version = if is_updated { "changed" } else { "written" };
        let mut value = json!({
            "@context": CONTEXT, "id": ids.note(note.author, number), "type": "Note", "inReplyTo": parent,
            "attributedTo": author, "to": [PUBLIC], "cc": [format!("{author}/followers")],
            "published": as2_date(self.moment(note.created)),
            "content": format!("<p>Note {number} as {version} indeed</p>"),
        });
        if let Some(updated) = note.updated.filter(|_| is_updated) {
            value["updated"] = json!(as2_date(self.moment(updated)));
        }
        value
    }

    /// The paths and documents that the remote serves: each note in its final state.
    pub(super) fn documents(&self, ids: &Ids) -> Vec<(String, Document)> {
        let documents = self.notes.iter().enumerate().map(|(number, note)| {
            let id = ids.note(note.author, number);
            let path = id.strip_prefix(&ids.remote).expect("a path").to_owned();
            if note.is_deleted {
                let tombstone = json!({"@context": CONTEXT, "id": id, "type": "Tombstone"});
                return (path, Document { status: 410, ..Document::activity_json(&tombstone) });
            }
            (path, Document::activity_json(&self.note(number, note.updated.is_some(), ids)))
        });
        documents.collect()
    }

    pub(super) fn activity(&self, at: usize, ids: &Ids) -> Value {
        let Action { actor, step } = self.actions[at];
        let me = ids.actor(actor);
        let (kind, id, object) = match step {
            Step::Do(relation) => return ids.relation_activity(&me, relation),
            Step::Undo(relation, ById(by_id)) => {
                let done = ids.relation_activity(&me, relation);
                let id = format!("{}/undo", done["id"].as_str().expect("an id"));
                ("Undo", id, if by_id { done["id"].clone() } else { done })
            }
            Step::Create(number) => {
                let note = self.note(number, false, ids);
                ("Create", format!("{}/activity", ids.note(actor, number)), note)
            }
            Step::Update(number) => {
                let note = self.note(number, true, ids);
                ("Update", format!("{}#updates/{at}", ids.note(actor, number)), note)
            }
            Step::Delete(number) => {
                let id = ids.note(actor, number);
                ("Delete", format!("{id}#delete"), json!({"id": id, "type": "Tombstone"}))
            }
            Step::Leave => ("Delete", format!("{me}#delete"), json!(me)),
        };
        json!({"@context": CONTEXT, "id": id, "type": kind, "actor": me, "to": [PUBLIC], "object": object})
    }
}

impl Ids {
    fn actor(&self, actor: usize) -> String {
        format!("{}/users/{}", self.remote, name(actor))
    }

    fn note(&self, author: usize, number: usize) -> String {
        format!("{}/statuses/{number}", self.actor(author))
    }

    fn relation_activity(&self, me: &str, relation: Relation) -> Value {
        let (kind, number, object) = match relation {
            Relation::Follow => ("Follow", 0, &self.critic),
            Relation::Like(article) => ("Like", article, &self.articles[article]),
            Relation::Boost(article) => ("Announce", article, &self.articles[article]),
            Relation::Block => ("Block", 0, &self.critic),
        };
        let id = format!("{me}#{}/{number}", kind.to_lowercase());
        json!({"@context": CONTEXT, "id": id, "type": kind, "actor": me, "object": object, "to": [PUBLIC]})
    }
}
