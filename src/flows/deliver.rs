//! Expands fan-outs and makes deliveries that are due. Never holds a transaction while it sends.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::App;
use super::hold::{hold, until};
use crate::domain::delivery::{GIVE_UP_AFTER, LONGEST_RETRY_AFTER, wait_after};
use crate::domain::id::LeaseId;
use crate::domain::moderation::Standing;
use crate::domain::time::Timestamp;
use crate::federation::signature::cavage;
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
    tx.commit().await?;
    Ok(())
}

/// What came of an attempt.
#[derive(Debug)]
struct Verdict {
    status: Option<u16>,
    error: String,
    then: Then,
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

/// Signs and sends once.
async fn attempt(app: &App, job: &Job) -> Verdict {
    // A row that was written before its server was blocked, or by who did not ask.
    if matches!(blocks::of_host(&app.db, &job.host, &app.policy).await, Ok(Standing::Blocked)) {
        return Verdict { status: None, error: "its server is blocked here".to_owned(), then: Then::GiveUp };
    }
    let answer = post(app, job).await;
    let now = app.clock.now();
    let (status, error, asked) = match answer {
        Ok(answer) if answer.status.is_success() => {
            let status = Some(answer.status.as_u16());
            tracing::info!(inbox = job.inbox, "delivered");
            return Verdict { status, error: String::new(), then: Then::Done };
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
    Verdict { status: status.map(|s| s.as_u16()), error, then }
}

async fn post(app: &App, job: &Job) -> anyhow::Result<crate::net::client::Answer> {
    let inbox = url::Url::parse(&job.inbox)?;
    let key = app.critic_key(job.critic_id).await?;
    let body = Bytes::from(job.body.clone());
    let (to, bytes, now) = (inbox.clone(), body.clone(), app.clock.now());
    // Signing takes most of a millisecond of CPU: not on a thread that serves others.
    let signing = move || cavage::sign(&key, &Method::POST, &to, Some(&bytes), now);
    let mut headers: HeaderMap = tokio::task::spawn_blocking(signing).await??;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON));
    Ok(app.http.post(&inbox, headers, body).await?)
}

fn jitter() -> u8 {
    let mut byte = [0];
    // Without randomness there is no jitter, which harms nobody.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    byte[0]
}
