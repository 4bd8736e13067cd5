//! `modstream desk`.

use plain_text::counted;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use console::style;
use jiff::SignedDuration;
use modstream_decisions::moderator;
use modstream_desk::{Access, SESSION_HOURS, Site, SiteSettings};
use modstream_events::Action;
use modstream_ledger::{Ledger, List};
use modstream_links::{Claim, FORUM, Signer};
use modstream_platform::Clock as _;
use modstream_platform::memory::{MemoryClock, MemoryStream, MemoryTable};
use modstream_policy::{Policies, Severities};
use publish_alerts::Policy;
use tokio::net::TcpListener;
use tokio::task::LocalSet;
use uuid::Uuid;

use crate::common::args::{HarmArgs, MAX_COMMENTS, ModelArgs, or_default};
use crate::common::display::print;
use crate::common::interrupt::Interrupts;
use crate::common::reading::FormatArgs;
use crate::common::runtime::block_on;
use crate::decisions::serve::serve;
use crate::pipeline::corpus::Corpus;
use crate::pipeline::functions::Models;
use crate::pipeline::in_memory::{Batches, Pipeline};
use crate::pipeline::system::{Schedule, System as _};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream desk                                       open the link that it prints; Ctrl-C ends it
  modstream desk --moderator ana --moderator ben       two people at one desk
  modstream desk --input my.jsonl --policy 'precision>=0.7' --base-rate 0.05

Everything is in memory, and gone at the end.")]
pub(crate) struct DeskArgs {
    /// The port of 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8055)]
    pub(crate) port: u16,
    /// Print the sign-in links, then an alert's link, a line each, and nothing else
    #[arg(long)]
    pub(crate) link_only: bool,
    /// Who signs in; may be given again
    #[arg(long, value_name = "NAME", default_value = "you", value_parser = moderator)]
    pub(crate) moderator: Vec<String>,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: sample comments, built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Which comments alert: a probability (`0.8`), or `precision>=0.9`, or `share<=0.05` [default: 0.7]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Option<Policy>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) harm: HarmArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

impl DeskArgs {
    /// The policy that was asked for.
    pub(crate) fn policy(&self) -> Policy {
        or_default(self.policy.as_ref())
    }

    /// Runs `modstream desk`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // A panic's message may quote a comment.
        kinesis_batch::install_panic_hook();
        let models = Models::read(self.model.model.as_deref(), &self.harm)?;
        let corpus = Corpus::read(self.input.as_deref(), self.format.options(), MAX_COMMENTS)?;
        block_on(async { LocalSet::new().run_until(Box::pin(self.open(&models, corpus))).await })
    }

    /// Runs the pipeline over the comments, and serves the desk until an end is asked for. It must run within a
    /// `LocalSet`.
    async fn open(&self, models: &Models, corpus: Corpus) -> anyhow::Result<ExitCode> {
        let interrupts = Interrupts::listen()?;
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await;
        let listener = listener
            .with_context(|| format!("port {} of 127.0.0.1 can't be used: say --port 0 for a free one", self.port))?;
        let schedule = Schedule { id: "desk".to_owned(), time: None, comments: corpus.rows, rate: None };
        let (policies, base_rate) = (Policies::of(&self.policy(), Severities::default()), self.model.base_rate);
        let pipeline = Box::pin(Pipeline::start(
            models,
            corpus.bytes,
            base_rate,
            &policies,
            Batches::AtOnce,
            MemoryClock::system(),
        ))
        .await?;
        Box::pin(pipeline.run(&schedule, &interrupts)).await?;

        let (table, clock) = (pipeline.table().clone(), pipeline.clock());
        let signer = Signer::new(&key()?, None)?;
        let url = format!("http://{}", listener.local_addr()?);
        tell(self, &url, &table, clock, &signer).await?;
        let settings = SiteSettings { links: true, desk: Some(Access::SignedLink), forum: FORUM.to_owned() };
        let site = Site::new(table, MemoryStream::new("decisions", 1, clock), clock, settings);
        tokio::select! {
            () = interrupts.asked() => Ok(ExitCode::SUCCESS),
            ended = serve(listener, site, signer, clock) => match ended? {},
        }
    }
}

fn key() -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    Ok(key)
}

/// Prints the links that lead to the desk.
async fn tell(
    args: &DeskArgs,
    url: &str,
    table: &MemoryTable,
    clock: MemoryClock,
    signer: &Signer,
) -> anyhow::Result<()> {
    let now = clock.now();
    let expires = now + SignedDuration::from_hours(SESSION_HOURS);
    let sign_in = |name: &String| {
        let claim = Claim::SignIn { id: Uuid::new_v4(), moderator: name.clone() };
        signer.link(url, &claim, expires).unwrap_or_default()
    };
    let links: Vec<String> = args.moderator.iter().map(sign_in).collect();
    let alerts = alerts(table, clock).await?;
    let first = alerts.first().and_then(|claim| signer.link(url, claim, expires));
    let lines: Vec<&str> = links.iter().map(String::as_str).chain(first.as_deref()).collect();
    if args.link_only {
        return Ok(print(&format!("{}\n", lines.join("\n")))?);
    }
    let names =
        args.moderator.iter().zip(&links).map(|(name, link)| format!("  {name:<14} {}\n", style(link).underlined()));
    let alert = first.as_deref().map_or_else(
        || "No comment meets the policy: the desk is empty. Try --policy 0.5.\n".to_owned(),
        |link| format!("One alert alone, as from a link in an email:\n  {:<14} {}\n", "", style(link).underlined()),
    );
    let said = format!(
        "The desk is open, with {}. Sign in, each link once:\n{}{alert}Everything is in memory. Ctrl-C ends it.\n",
        counted(alerts.len(), "alert"),
        names.collect::<String>(),
    );
    Ok(print(&said)?)
}

/// Claims to all alerts, the most probable first.
async fn alerts(table: &MemoryTable, clock: MemoryClock) -> anyhow::Result<Vec<Claim>> {
    let now = clock.now();
    let ledger = Ledger::new(table, &clock, now + Duration::from_secs(20));
    let between = (now - SignedDuration::from_hours(2), now + SignedDuration::from_hours(1));
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = ledger.made_between(List::Standing, between, after).await?;
        let claims = page
            .found
            .iter()
            .filter_map(|alert| Some((alert.probability, Claim::to_alert(&alert.key, Action::Remove)?)));
        found.extend(claims);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    Ok(found.into_iter().map(|(_, claim)| claim).collect())
}
