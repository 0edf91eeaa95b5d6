//! Expands fan-outs and makes deliveries that are due. Never holds a transaction while it sends.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};

use super::App;
use super::hold::{hold, until};
use super::keys::{self, Owner};
use crate::domain::delivery::{GIVE_UP_AFTER, LONGEST_RETRY_AFTER, wait_after};
use crate::domain::id::LeaseId;
use crate::domain::moderation::Standing;
use crate::domain::signing::Form;
use crate::domain::time::Timestamp;
use crate::net::client::{Answer, is_refusal};
use crate::net::media_type::ACTIVITY_JSON;
use crate::store::blocks;
use crate::store::deliveries::{self, Job, Outcome};
use crate::store::leases::Queue;

/// Writes the next delivery rows of a fan-out; false where no fan-out waits.
pub async fn expand(app: &App) -> anyhow::Result<bool> {
    let mut tx = app.db.begin().await?;
    let Some(fan_out) = deliveries::next_fan_out(&mut tx).await? else {
        return Ok(false);
    };
    deliveries::expand(&mut tx, &fan_out, app.clock.now()).await?;
    tx.commit().await?;
    app.wake.up();
    Ok(true)
}

/// Takes at most `limit` deliveries that are due.
pub async fn claim(app: &App, limit: usize) -> anyhow::Result<(LeaseId, Vec<Job>)> {
    let now = app.clock.now();
    let lease = LeaseId::new(now);
    let mut tx = app.db.begin().await?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let jobs = deliveries::claim_due(&mut tx, lease, now, until(now), limit).await?;
    if !jobs.is_empty() {
        tx.commit().await?;
    }
    Ok((lease, jobs))
}

/// Makes one delivery and writes down what came of it.
pub async fn deliver(app: &App, lease: LeaseId, job: &Job) -> anyhow::Result<()> {
    let verdict = hold(app, Queue::Deliveries, lease, attempt(app, job)).await;
    let mut tx = app.db.begin().await?;
    deliveries::acknowledge(&mut tx, job, lease, &verdict.outcome(), app.clock.now()).await?;
    if let Some(lesson) = verdict.lesson {
        keys::learn(&mut tx, &job.host, lesson.taken, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What came of an attempt.
#[derive(Debug)]
struct Verdict {
    status: Option<u16>,
    error: String,
    then: Then,
    lesson: Option<Lesson>,
}

/// What an attempt taught about the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lesson {
    /// The form of signature that it took where it refused the one that was tried first; none where it took
    /// neither.
    taken: Option<Form>,
}

#[derive(Debug)]
enum Then {
    Done,
    Again(Timestamp),
    GiveUp,
}

impl Verdict {
    fn outcome(&self) -> Outcome<'_> {
        match (&self.then, self.status) {
            (Then::Done, status) => Outcome::Done { status: status.unwrap_or(200) },
            (Then::Again(next), status) => Outcome::Deferred { status, error: &self.error, next: *next },
            (Then::GiveUp, status) => Outcome::Failed { status, error: &self.error },
        }
    }
}

/// Signs and sends, once more at once where the signature was refused.
async fn attempt(app: &App, job: &Job) -> Verdict {
    // A row that was written before its server was blocked, or by who did not ask.
    if matches!(blocks::of_host(&app.db, &job.host, &app.policy).await, Ok(Standing::Blocked)) {
        let error = "its server is blocked here";
        tracing::info!(inbox = job.inbox, error, "delivery given up");
        return Verdict { status: None, error: error.to_owned(), then: Then::GiveUp, lesson: None };
    }
    let (answer, lesson) = match post(app, job).await {
        Ok((answer, lesson)) => (Ok(answer), lesson),
        Err(error) => (Err(error), None),
    };
    let now = app.clock.now();
    let (status, error, asked) = match answer {
        Ok(answer) if answer.status.is_success() => {
            let status = Some(answer.status.as_u16());
            tracing::info!(inbox = job.inbox, "delivered");
            return Verdict { status, error: String::new(), then: Then::Done, lesson };
        }
        Ok(answer) => {
            let asked = answer.retry_after.map(|asked| asked.wait(now).min(LONGEST_RETRY_AFTER));
            (Some(answer.status), format!("answered {}: {}", answer.status.as_u16(), answer.excerpt), asked)
        }
        Err(error) => (None, format!("{error:#}"), None),
    };
    let attempts = u32::try_from(job.attempts).unwrap_or(u32::MAX).saturating_add(1);
    let wait = wait_after(attempts, jitter()).max(asked.unwrap_or_default());
    let next = now + wait;
    let is_final = matches!(status, Some(StatusCode::NOT_FOUND | StatusCode::GONE));
    let then =
        if is_final || next > job.created_at + GIVE_UP_AFTER { Then::GiveUp } else { Then::Again(next) };
    let verdict = if matches!(then, Then::GiveUp) { "given up" } else { "deferred" };
    tracing::info!(inbox = job.inbox, attempt = attempts, %error, "delivery {verdict}");
    Verdict { status: status.map(|s| s.as_u16()), error, then, lesson }
}

/// Sends in the form that the host took last, and in the other one where it answers that the signature is not
/// good enough. While an old key still signs, a host that refuses it gets to see the new one first: it may have
/// met the critic after the new one was there. The last answer is the one that counts.
async fn post(app: &App, job: &Job) -> anyhow::Result<(Answer, Option<Lesson>)> {
    let inbox = url::Url::parse(&job.inbox)?;
    let own = app.keys_of(Owner::Critic(job.critic_id)).await?;
    let first = keys::form_for(app, &job.host).await;
    let mut tries = vec![(own.signing(), first), (own.served(), first), (own.served(), first.other())];
    tries.dedup_by(|one, other| one.0.id() == other.0.id() && one.1 == other.1);
    let body = Bytes::from(job.body.clone());
    let mut last = None;
    for (key, form) in tries {
        let mut headers = keys::sign(app, key, form, Method::POST, &inbox, Some(body.clone())).await?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON));
        let answer = app.http.post(&inbox, headers, body.clone()).await?;
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
