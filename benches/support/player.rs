//! Another process of the same binary, which plays a part and takes orders: JSON, one a line, over its standard
//! input and output. It ends with the bench.

use std::io::{BufRead as _, Write as _};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::runtime::{Builder, Runtime};

use super::limits::Limits;
use super::load::Load;
use super::plain::Plain;
use super::sink::Sink;

/// What a helper does. Between orders its tasks go on.
pub trait Part: Sized {
    /// Whether it computes on one thread alone.
    const ALONE: bool = false;

    /// Begins; what it gives is told to the bench.
    async fn begin(plan: Value) -> anyhow::Result<(Self, Value)>;

    /// Does what it is told.
    async fn obey(&mut self, order: Value) -> anyhow::Result<Value>;
}

/// Plays a part until the bench is gone.
pub fn play(part: &str) -> anyhow::Result<()> {
    match part {
        "as-limits" => act::<Limits>(),
        "as-load" => act::<Load>(),
        "as-plain" => act::<Plain>(),
        "as-sink" => act::<Sink>(),
        part => bail!("there is no part {part}"),
    }
}

fn act<P: Part>() -> anyhow::Result<()> {
    let runtime =
        if P::ALONE { Builder::new_current_thread().enable_all().build()? } else { Runtime::new()? };
    let mut lines = std::io::stdin().lock().lines();
    let plan = serde_json::from_str(&lines.next().context("no plan")??)?;
    let (mut part, hello) = runtime.block_on(P::begin(plan))?;
    say(&hello)?;
    for order in lines {
        let answer = runtime.block_on(part.obey(serde_json::from_str(&order?)?));
        say(&answer.unwrap_or_else(|error| json!({"error": format!("{error:#}")})))?;
    }
    Ok(())
}

fn say(answer: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{answer}")?;
    Ok(out.flush()?)
}

/// A helper, as the bench sees it.
#[derive(Debug)]
pub struct Player {
    name: String,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What it said when it had begun.
    pub hello: Value,
}

impl Player {
    /// Starts one, and waits until it has begun.
    pub async fn start(part: &str, plan: &Value) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(part);
        Self::run(part, command, plan).await
    }

    /// Starts another program that takes orders in the same way.
    pub async fn run(name: &str, mut command: Command, plan: &Value) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let input = child.stdin.take().context("an input")?;
        let output = BufReader::new(child.stdout.take().context("an output")?).lines();
        let mut helper = Self { name: name.to_owned(), child, input, output, hello: Value::Null };
        helper.hello = helper.ask(plan).await?;
        Ok(helper)
    }

    /// Gives an order and waits for the answer.
    pub async fn ask(&mut self, order: &Value) -> anyhow::Result<Value> {
        self.input.write_all(format!("{order}\n").as_bytes()).await?;
        let line = self.output.next_line().await?.with_context(|| format!("{} ended", self.name))?;
        let answer: Value = serde_json::from_str(&line)?;
        if let Some(error) = answer["error"].as_str() {
            bail!("{}: {error}", self.name);
        }
        Ok(answer)
    }

    /// Its process.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().with_context(|| format!("{} ended", self.name))
    }
}

/// A whole number in an answer.
pub fn count(answer: &Value, name: &str) -> anyhow::Result<usize> {
    let number = answer[name].as_u64().with_context(|| format!("no {name} in {answer}"))?;
    Ok(usize::try_from(number)?)
}

/// A number in an answer.
pub fn real(answer: &Value, name: &str) -> anyhow::Result<f64> {
    answer[name].as_f64().with_context(|| format!("no {name} in {answer}"))
}

/// A text in an answer.
pub fn text<'a>(answer: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    answer[name].as_str().with_context(|| format!("no {name} in {answer}"))
}
