//! Expands fan-outs and sends what is due, host by host: a worker takes a host, sends what waits for it, and gives
//! it back. Never holds a transaction while it sends; what came of each attempt goes to the [`ledger`].

pub mod ledger;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{HeaderValue, Method, StatusCode, header};
use tokio::sync::mpsc;

use self::ledger::Entry;
use super::App;
use super::hold::{hold, until};
use super::keys::{self, OwnKeys, Owner};
use crate::domain::delivery::{GIVE_UP_AFTER, LONGEST_RETRY_AFTER, wait_after};
use crate::domain::id::{ActivityId, CriticId, LeaseId};
use crate::domain::moderation::Standing;
use crate::domain::signing::Form;
use crate::federation::signature::digest::BodyDigest;
use crate::net::client::{Answer, is_refusal};
use crate::net::media_type::ACTIVITY_JSON;
use crate::store::deliveries::{self, Job, Outcome};
use crate::store::hosts::{self, Health, Room, Turn};
use crate::store::leases::Queue;
use crate::store::{activities, blocks};

/// Deliveries that one turn of a host has at most.
const A_TURN: u32 = 64;

/// Requests to a host at a time, once it answered.
const ABREAST: usize = 4;

/// Activities whose bytes are kept at hand.
const MOST_LETTERS: usize = 64;

/// Writes the next delivery rows of a fan-out; false where no fan-out waits.
pub async fn expand(app: &App) -> anyhow::Result<bool> {
    // Whoever looks for nothing leaves SQLite's only writer alone.
    if !deliveries::is_any_fan_out(&app.db).await? {
        return Ok(false);
    }
    let mut tx = app.db.begin().await?;
    let Some(fan_out) = deliveries::next_fan_out(&mut tx).await? else {
        return Ok(false);
    };
    deliveries::expand(&mut tx, &fan_out, app.clock.now()).await?;
    fail_point!("expand-before-commit");
    tx.commit().await?;
    fail_point!("expand-after-commit");
    app.wake.up();
    Ok(true)
}

/// An activity as it is sent, shared by all who send it.
#[derive(Debug)]
struct Letter {
    critic: CriticId,
    body: Bytes,
    digest: BodyDigest,
}

/// What is sent again and again, kept at hand.
#[derive(Debug, Default)]
pub struct Letters(HashMap<ActivityId, Arc<Letter>>);

impl Letters {
    async fn get(&mut self, app: &App, id: ActivityId) -> anyhow::Result<Option<Arc<Letter>>> {
        if let Some(known) = self.0.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(stored) = activities::by_id(&app.db, id).await? else { return Ok(None) };
        if self.0.len() >= MOST_LETTERS {
            self.0.clear();
        }
        let body = Bytes::from(stored.body);
        let letter = Arc::new(Letter { critic: stored.critic_id, digest: BodyDigest::of(&body), body });
        self.0.insert(id, Arc::clone(&letter));
        Ok(Some(letter))
    }
}

/// A host, and what is sent to it in this turn.
#[derive(Debug)]
pub struct Round {
    lease: LeaseId,
    turn: Turn,
    is_blocked: bool,
    jobs: Vec<(Job, Arc<Letter>)>,
    keys: Arc<HashMap<CriticId, OwnKeys>>,
}

impl Round {
    /// Whether it asks a host that failed whether it is back.
    pub const fn is_retry(&self) -> bool {
        self.turn.failures > 0
    }
}

/// Takes hosts whose turn it is, as many as there is room for.
pub async fn claim(app: &App, letters: &mut Letters, room: Room) -> anyhow::Result<Vec<Round>> {
    let now = app.clock.now();
    if !hosts::is_any_due(&app.db, now).await? {
        return Ok(Vec::new());
    }
    let lease = LeaseId::new(now);
    let mut tx = app.db.begin().await?;
    let turns = hosts::claim_due(&mut tx, lease, now, until(now), room).await?;
    if turns.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = turns.iter().map(|turn| turn.host.as_str()).collect();
    let standings = blocks::standings(&mut tx, &[], &names).await?;
    tx.commit_unheard().await?;
    fail_point!("claim-after-commit");
    let mut jobs: HashMap<String, Vec<(Job, Arc<Letter>)>> = HashMap::new();
    for job in deliveries::due(&app.db, lease, now, A_TURN).await? {
        if let Some(letter) = letters.get(app, job.activity_id).await? {
            jobs.entry(job.host.clone()).or_default().push((job, letter));
        }
    }
    let critics: HashSet<CriticId> = jobs.values().flatten().map(|(_, letter)| letter.critic).collect();
    let mut keys = HashMap::new();
    for critic in critics {
        keys.insert(critic, app.keys_of(Owner::Critic(critic)).await?);
    }
    let keys = Arc::new(keys);
    let round = |turn: Turn| {
        let jobs = jobs.remove(&turn.host).unwrap_or_default();
        let is_blocked = standings.of_host(&turn.host, &app.policy) == Standing::Blocked;
        Round { lease, turn, is_blocked, jobs, keys: Arc::clone(&keys) }
    };
    Ok(turns.into_iter().map(round).collect())
}

/// Sends what is due to a host, and gives the host back.
pub async fn deliver(app: &App, round: Round, ledger: &mpsc::Sender<Entry>) {
    tracing::debug!(host = round.turn.host, deliveries = round.jobs.len(), "turn");
    let health = hold(app, Queue::Hosts, round.lease, send_all(app, &round, ledger)).await;
    let release = Entry::Release { host: round.turn.host, lease: round.lease, health };
    // Whoever closed the ledger before the work was done has the lease run out.
    let _ = ledger.send(release).await;
}

/// One by one until it answers, then some abreast; no more once it fails.
async fn send_all(app: &App, round: &Round, ledger: &mpsc::Sender<Entry>) -> Health {
    let mut health = Health::Unknown;
    let mut waiting = round.jobs.iter();
    let mut sending = FuturesUnordered::new();
    loop {
        let abreast = match health {
            Health::Well => ABREAST,
            Health::Unknown => 1,
            Health::Closed { .. } => 0,
        };
        while sending.len() < abreast
            && let Some((job, letter)) = waiting.next()
        {
            sending.push(attempt(app, round, job, letter));
        }
        let Some(verdict) = sending.next().await else { return health };
        // One that failed stays closed, whatever was on its way meanwhile.
        if !matches!(health, Health::Closed { .. }) && !matches!(verdict.health, Health::Unknown) {
            health = verdict.health;
        }
        let entry = Entry::Attempt {
            activity: verdict.job.activity_id,
            inbox: verdict.job.inbox.clone(),
            host: verdict.job.host.clone(),
            outcome: verdict.outcome,
            lesson: verdict.lesson,
        };
        let _ = ledger.send(entry).await;
    }
}

/// What came of an attempt.
struct Verdict<'j> {
    job: &'j Job,
    outcome: Outcome,
    lesson: Option<Lesson>,
    health: Health,
}

/// What an attempt taught about the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lesson {
    /// The form of signature that it took where it refused the one that was tried first; none where it took
    /// neither.
    taken: Option<Form>,
}

/// Signs and sends, once more at once where the signature was refused.
async fn attempt<'j>(app: &App, round: &Round, job: &'j Job, letter: &Letter) -> Verdict<'j> {
    // A row that was written before its server was blocked, or by who did not ask.
    if round.is_blocked {
        let error = "its server is blocked here".to_owned();
        tracing::info!(inbox = job.inbox, error, "delivery given up");
        let outcome = Outcome::Failed { status: None, error };
        return Verdict { job, outcome, lesson: None, health: Health::Unknown };
    }
    let (answer, lesson) = match post(app, round, job, letter).await {
        Ok((answer, lesson)) => (Ok(answer), lesson),
        Err(error) => (Err(error), None),
    };
    let now = app.clock.now();
    let status = answer.as_ref().ok().map(|answer| answer.status);
    if let Some(status) = status.filter(StatusCode::is_success) {
        tracing::debug!(inbox = job.inbox, "delivered");
        let outcome = Outcome::Done { status: status.as_u16() };
        return Verdict { job, outcome, lesson, health: Health::Well };
    }
    let is_final = matches!(status, Some(StatusCode::NOT_FOUND | StatusCode::GONE));
    let is_host = is_the_hosts(status);
    let failures = if is_host { round.turn.failures } else { job.attempts };
    let failures = u32::try_from(failures).unwrap_or(u32::MAX).saturating_add(1);
    let asked = answer.as_ref().ok().and_then(|answer| answer.retry_after);
    let asked = asked.map(|asked| asked.wait(now).min(LONGEST_RETRY_AFTER));
    let next = now + wait_after(failures, jitter()).max(asked.unwrap_or_default());
    let error = match answer {
        Ok(answer) => format!("answered {}: {}", answer.status.as_u16(), answer.excerpt),
        Err(error) => format!("{error:#}"),
    };
    let health = if is_host { Health::Closed { until: next, error: error.clone() } } else { Health::Well };
    let is_over = is_final || next > job.created_at + GIVE_UP_AFTER;
    let verdict = if is_over { "given up" } else { "deferred" };
    tracing::info!(inbox = job.inbox, attempt = failures, %error, "delivery {verdict}");
    let status = status.map(|status| status.as_u16());
    // With the host open again, it is its turn before all that came later.
    let next = if is_host { now } else { next };
    let outcome =
        if is_over { Outcome::Failed { status, error } } else { Outcome::Deferred { status, error, next } };
    Verdict { job, outcome, lesson, health }
}

/// Whether it is the host that fails, not the delivery: it cannot be reached, or asks to be left alone. An error of
/// its own about one activity keeps no other from it.
const fn is_the_hosts(status: Option<StatusCode>) -> bool {
    matches!(
        status,
        None | Some(
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        )
    )
}

/// Sends in the form that the host took last, and in the other one where it answers that the signature is not
/// good enough. While an old key still signs, a host that refuses it gets to see the new one first: it may have
/// met the critic after the new one was there. The last answer is the one that counts.
async fn post(
    app: &App,
    round: &Round,
    job: &Job,
    letter: &Letter,
) -> anyhow::Result<(Answer, Option<Lesson>)> {
    let inbox = url::Url::parse(&job.inbox)?;
    let own = round.keys.get(&letter.critic).ok_or_else(|| anyhow::anyhow!("the critic has no key"))?;
    let first = Form::parse(&round.turn.signature).unwrap_or_default();
    let mut tries = vec![(own.signing(), first), (own.served(), first), (own.served(), first.other())];
    tries.dedup_by(|one, other| one.0.id() == other.0.id() && one.1 == other.1);
    let mut last = None;
    for (key, form) in tries {
        let digest = Some(letter.digest.clone());
        let mut headers = keys::sign(app, key, form, Method::POST, &inbox, digest).await?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON));
        fail_point!("send-before");
        let answer = app.http.post(&inbox, headers, letter.body.clone()).await?;
        fail_point!("send-after");
        if !is_refusal(answer.status) {
            let is_news = form != first && answer.status.is_success();
            return Ok((answer, is_news.then_some(Lesson { taken: Some(form) })));
        }
        last = Some(answer);
    }
    let answer = last.ok_or_else(|| anyhow::anyhow!("nothing was sent"))?;
    Ok((answer, (first != Form::default()).then_some(Lesson { taken: None })))
}

fn jitter() -> u8 {
    let mut byte = [0];
    // Without randomness there is no jitter, which harms nobody.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    byte[0]
}
