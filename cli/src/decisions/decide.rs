//! `modstream decide`.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use clap::builder::{ArgPredicate, NonEmptyStringValueParser};
use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use modstream_decisions::{DecideOutcome, Decisions, Standing, moderator};
use modstream_events::{Action, Alert, Event};
use modstream_ledger::{Hour, LedgerError, Reader};
use modstream_links::{Claim, decode_without_verifying};
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use serde_json::json;
use uuid::Uuid;

use crate::common::aws_args::BucketArgs;
use crate::common::connection::deadline;
use crate::common::display::{one_line, print};
use crate::common::reached::{Bucket, HERE, Kind, ReachArgs, Reached};
use crate::common::runtime::block_on;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream decide d704ed39-889c-5b22-b41b-2e4fb9283bff remove --moderator maja
  modstream decide https://example.org/a/AQHB... undo --moderator maja
  modstream decide 2026-01-05T10/d704ed39-889c-5b22-b41b-2e4fb9283bff keep --moderator maja

Of a link only what it names is used: your AWS credentials are what lets you decide. The first decision about an alert stands
until it is undone; the status is 1 where nothing was changed. A decision is recorded and goes to the decisions' stream; the
forum is not told.")]
pub(crate) struct DecideArgs {
    /// The alert's id, with its hour and a slash before it where it is older than three days, or a link to it
    #[arg(value_name = "ALERT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) alert: String,
    /// `remove`, `keep` or `undo`
    #[arg(value_name = "ACTION")]
    pub(crate) action: Action,
    /// Who decides: a pseudonym of at most 40 characters
    #[arg(long, value_name = "NAME", env = "MODSTREAM_MODERATOR", value_parser = moderator)]
    pub(crate) moderator: String,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// The decisions' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_DECISIONS_STREAM", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) decisions_stream: String,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// What follows from a decision to remove: nothing here acts on the forum.
const FORUM_NOT_TOLD: &str = "the decision is recorded; the forum is not told\n";
/// How many days back an alert is looked for that is named by its id alone.
const SEARCHED_DAYS: i64 = 3;
const CONCURRENT_LISTINGS: usize = 16;

impl DecideArgs {
    /// Runs `modstream decide`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let target = Target::read(&self.alert)?;
        let (id, outcome) = block_on(async {
            let system = Reached::open(&self.reach).await?;
            let bucket = self.bucket.bucket.as_str();
            let (hour, id) = Box::pin(target.place(&system.bucket(bucket))).await?;
            let (objects, decisions) = (system.objects(bucket), system.stream(Kind::Decisions, &self.decisions_stream));
            let reader = Reader::new(&objects, &SystemClock, deadline());
            let found = Box::pin(reader.alert(hour, &id)).await?;
            let bytes =
                found.with_context(|| format!("the ledger of the bucket {bucket} has no alert {id} of {hour}"))?;
            let alert: Event<'_, Alert<'_>> =
                Event::decode(&bytes).map_err(|error| anyhow::anyhow!("the alert {id}: {error}"))?;
            let decisions = Decisions::new(&objects, &decisions, &SystemClock, deadline());
            let outcome = Box::pin(decisions.decide(&alert, self.action, &self.moderator, None)).await?;
            anyhow::Ok((id, outcome))
        })?;
        let standing = match outcome.log().standing() {
            Standing::Undecided => None,
            Standing::Decided(decision) => Some(decision),
        };
        let changed = matches!(outcome, DecideOutcome::Done { repeated: false, .. });
        let is_done = matches!(outcome, DecideOutcome::Done { .. });
        if self.json {
            let forum_told = standing.filter(|decision| decision.action == Action::Remove).map(|_| false);
            let standing = standing.map(|decision| {
                json!({ "action": decision.action, "moderator": decision.moderator, "time": decision.time, "number": decision.number })
            });
            print(&format!(
                "{}\n",
                json!({
                    "alert_id": id, "done": is_done, "changed": changed, "stands": standing, "forum_told": forum_told,
                })
            ))?;
        } else {
            let stands = standing.map_or_else(
                || "no decision stands".to_owned(),
                |decision| {
                    format!(
                        "{} stands, by {}, {}",
                        decision.action,
                        one_line(&decision.moderator),
                        decision.time.strftime("%Y-%m-%d %H:%M UTC")
                    )
                },
            );
            let what = match (is_done, changed) {
                (true, true) => "done",
                (true, false) => "done before",
                (false, _) => "nothing was changed",
            };
            let not_told = match standing {
                Some(decision) if decision.action == Action::Remove => FORUM_NOT_TOLD,
                _ => "",
            };
            print(&format!("{id}: {what}; {stands}\n{not_told}"))?;
        }
        Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The alert as it was named.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Named(Hour, String),
    Id(String),
}

impl Target {
    fn read(text: &str) -> anyhow::Result<Self> {
        if let Ok(id) = Uuid::parse_str(text) {
            return Ok(Target::Id(id.to_string()));
        }
        if let Some((hour, id)) = text.split_once('/')
            && let (Ok(hour), Ok(id)) = (hour.parse(), Uuid::parse_str(id))
        {
            return Ok(Target::Named(hour, id.to_string()));
        }
        let Some((_, token)) = text.rsplit_once("/a/") else {
            bail!(
                "`{}` is no alert: give its id, its hour and id (2026-01-05T10/ID), or a link to it with /a/ in it",
                one_line(text)
            );
        };
        match decode_without_verifying(token) {
            Some(Claim::Alert { hour, id, .. }) => Ok(Target::Named(hour, id.to_string())),
            _ => bail!("the link is not complete, or leads elsewhere than to an alert: copy all of it"),
        }
    }

    async fn place(self, bucket: &Bucket) -> anyhow::Result<(Hour, String)> {
        let id = match self {
            Target::Named(hour, id) => return Ok((hour, id)),
            Target::Id(id) => id,
        };
        let now = SystemClock.now();
        let reader = Reader::new(bucket, &SystemClock, deadline());
        let hours =
            Hour::between(now - SignedDuration::from_hours(24 * SEARCHED_DAYS), now + SignedDuration::from_hours(1));
        let mut listed = stream::iter(hours).map(|hour| Box::pin(reader.hour(hour))).buffered(CONCURRENT_LISTINGS);
        while let Some(entries) = listed.next().await {
            let entries: Result<_, LedgerError> = entries;
            if let Some(entry) = entries?.into_iter().find(|entry| entry.id == id) {
                return Ok((entry.hour, id));
            }
        }
        bail!(
            "no comment of the last {SEARCHED_DAYS} days has the alert {id}: give its hour with it, 2026-01-05T10/{id}, or a \
             link to it; `modstream decisions waiting` lists the alerts that nobody decided"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modstream_events::Action;
    use modstream_links::Signer;

    #[test]
    fn an_alert_is_named_by_its_id_or_a_link() {
        let id = "d704ed39-889c-5b22-b41b-2e4fb9283bff";
        assert_eq!(Target::read(id).expect("an id"), Target::Id(id.to_owned()));
        let hour: Hour = "2026-01-05T10".parse().expect("an hour");
        let claim = Claim::Alert { hour, id: id.parse().expect("a UUID"), action: Action::Keep };
        let signer = Signer::new(&[1; 32], None).expect("a key");
        let link = signer.link("https://example.org", &claim, hour.start()).expect("a link");
        assert_eq!(Target::read(&link).expect("a link"), Target::Named(hour, id.to_owned()));
        let named = Target::read(&format!("2026-01-05T10/{id}")).expect("an hour and an id");
        assert_eq!(named, Target::Named(hour, id.to_owned()));
        for text in [
            "k1",
            "2026-01-05T10/k1",
            "2026-01-05/d704ed39-889c-5b22-b41b-2e4fb9283bff",
            "https://example.org/a/",
            "https://example.org/a/AQHB",
            "https://example.org/d/AQHB",
        ] {
            assert!(Target::read(text).is_err(), "{text}");
        }
    }
}
