//! A helper process is another process of the same binary, or another program, that does one job for the bench.
//! It reads orders as JSON, one per line, from its standard input, writes a reply to each to its standard output,
//! and ends with the bench.

use std::io::{BufRead as _, Write as _};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::runtime::{Builder, Runtime};

/// The job of a helper process. Its tasks go on between two orders.
pub trait Role: Sized {
    /// Whether it runs on a single thread.
    const SINGLE_THREADED: bool = false;

    /// Starts the job; the value is sent to the bench.
    async fn start(plan: Value) -> anyhow::Result<(Self, Value)>;

    /// Carries out an order and returns the reply.
    async fn handle(&mut self, order: Value) -> anyhow::Result<Value>;
}

/// Does the job in this process until the bench ends.
pub fn run<R: Role>() -> anyhow::Result<()> {
    let runtime = if R::SINGLE_THREADED {
        Builder::new_current_thread().enable_all().build()?
    } else {
        Runtime::new()?
    };
    let mut lines = std::io::stdin().lock().lines();
    let plan = serde_json::from_str(&lines.next().context("no plan")??)?;
    let (mut role, ready) = runtime.block_on(R::start(plan))?;
    write_line(&ready)?;
    for order in lines {
        let reply = runtime.block_on(role.handle(serde_json::from_str(&order?)?));
        write_line(&reply.unwrap_or_else(|error| json!({"error": format!("{error:#}")})))?;
    }
    Ok(())
}

fn write_line(reply: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{reply}")?;
    Ok(out.flush()?)
}

/// A helper process, as the bench controls it.
#[derive(Debug)]
pub struct HelperProcess {
    name: String,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What it sent once it had started.
    pub ready: Value,
}

impl HelperProcess {
    /// Starts this binary in a role, and waits until it is ready.
    pub async fn start(role: &str, plan: &Value) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role);
        Self::run(role, command, plan).await
    }

    /// Starts another program that takes orders in the same way.
    pub async fn run(name: &str, mut command: Command, plan: &Value) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let mut helper = Self { name: name.to_owned(), child, input, output, ready: Value::Null };
        helper.ready = helper.call(plan).await?;
        Ok(helper)
    }

    /// Sends an order and waits for the reply.
    pub async fn call(&mut self, order: &Value) -> anyhow::Result<Value> {
        self.input.write_all(format!("{order}\n").as_bytes()).await?;
        let line = self.output.next_line().await?.with_context(|| format!("{} ended", self.name))?;
        let reply: Value = serde_json::from_str(&line)?;
        if let Some(error) = reply["error"].as_str() {
            bail!("{}: {error}", self.name);
        }
        Ok(reply)
    }

    /// Its process id.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().with_context(|| format!("{} ended", self.name))
    }
}

/// A whole number in a message.
pub fn count(message: &Value, name: &str) -> anyhow::Result<usize> {
    let number = message[name].as_u64().with_context(|| format!("no {name} in {message}"))?;
    Ok(usize::try_from(number)?)
}

/// A number in a message.
pub fn real(message: &Value, name: &str) -> anyhow::Result<f64> {
    message[name].as_f64().with_context(|| format!("no {name} in {message}"))
}

/// A string in a message.
pub fn text<'a>(message: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    message[name].as_str().with_context(|| format!("no {name} in {message}"))
}
