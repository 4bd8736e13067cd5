//! `modstream decide`.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use clap::builder::{ArgPredicate, NonEmptyStringValueParser};
use jiff::SignedDuration;
use modstream_decisions::{Case, DecideOutcome, Decisions, Standing, log, moderator};
use modstream_events::{Action, Alert, Event};
use modstream_ledger::{AlertKey, Ledger, List};
use modstream_links::decode_without_verifying;
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use modstream_platform::table::Table;
use serde_json::json;
use uuid::Uuid;

use crate::common::aws_args::TableArgs;
use crate::common::connection::deadline;
use crate::common::display::{one_line, print};
use crate::common::reached::{HERE, Kind, ReachArgs, Reached};
use crate::common::runtime::block_on;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream decide d704ed39-889c-5b22-b41b-2e4fb9283bff remove --moderator maja
  modstream decide https://example.org/a/AQHB... undo --moderator maja
  modstream decide 9668f631-51b3-57e2-a240-628cc2d26208/d704ed39-889c-5b22-b41b-2e4fb9283bff keep --moderator maja

Of a link only what it names is used: your AWS credentials are what lets you decide. The first decision about an alert stands
until it is undone; the status is 1 where nothing was changed. A decision is recorded and goes to the decisions' stream; the
forum is not told.")]
pub(crate) struct DecideArgs {
    /// The alert's id, with its comment's key and a slash before it where it is older than three days, or a link to it
    #[arg(value_name = "ALERT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) alert: String,
    /// `remove`, `keep` or `undo`
    #[arg(value_name = "ACTION")]
    pub(crate) action: Action,
    /// Who decides: a pseudonym of at most 40 characters
    #[arg(long, value_name = "NAME", env = "MODSTREAM_MODERATOR", value_parser = moderator)]
    pub(crate) moderator: String,
    #[command(flatten)]
    pub(crate) table: TableArgs,
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

impl DecideArgs {
    /// Runs `modstream decide`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let target = Target::read(&self.alert)?;
        let (id, outcome) = block_on(async {
            let system = Reached::open(&self.reach).await?;
            let table = system.table(&self.table.table);
            let key = Box::pin(target.place(&table)).await?;
            let ledger = Ledger::new(&table, &SystemClock, deadline());
            let found = Box::pin(ledger.entry(&key)).await?;
            let name = &self.table.table;
            let entry = found.with_context(|| format!("the ledger in the table {name} has no alert {key}"))?;
            let alert: Event<'_, Alert<'_>> =
                Event::decode(&entry.event).map_err(|error| anyhow::anyhow!("the alert {key}: {error}"))?;
            let log = Box::pin(log(&table, &SystemClock, deadline(), &key)).await?;
            let stream = system.stream(Kind::Decisions, &self.decisions_stream);
            let decisions = Decisions::new(&table, &stream, &SystemClock, deadline());
            let case = Case { entry: &entry, alert: &alert, log: &log };
            let outcome = Box::pin(decisions.decide(case, self.action, &self.moderator, None)).await?;
            anyhow::Ok((key.id, outcome))
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
    Named(AlertKey),
    Id(String),
}

impl Target {
    fn read(text: &str) -> anyhow::Result<Self> {
        let uuid = |text: &str| Uuid::parse_str(text).map(|id| id.to_string());
        if let Ok(id) = uuid(text) {
            return Ok(Target::Id(id));
        }
        if let Some((comment, id)) = text.split_once('/')
            && let (Ok(comment), Ok(id)) = (uuid(comment), uuid(id))
        {
            return Ok(Target::Named(AlertKey { comment, id }));
        }
        let Some((_, token)) = text.rsplit_once("/a/") else {
            bail!(
                "`{}` is no alert: give its id, its comment's key and its id (KEY/ID), or a link to it with /a/ in it",
                one_line(text)
            );
        };
        match decode_without_verifying(token).and_then(|claim| claim.alert()) {
            Some(key) => Ok(Target::Named(key)),
            None => bail!("the link is not complete, or leads elsewhere than to an alert: copy all of it"),
        }
    }

    async fn place(self, table: &impl Table) -> anyhow::Result<AlertKey> {
        let id = match self {
            Target::Named(key) => return Ok(key),
            Target::Id(id) => id,
        };
        let now = SystemClock.now();
        let between = (now - SignedDuration::from_hours(24 * SEARCHED_DAYS), now + SignedDuration::from_hours(1));
        for list in List::ALL {
            let mut after = None;
            loop {
                let page = Ledger::new(table, &SystemClock, deadline()).made_between(list, between, after).await?;
                if let Some(alert) = page.found.into_iter().find(|alert| alert.key.id == id) {
                    return Ok(alert.key);
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        bail!(
            "no comment of the last {SEARCHED_DAYS} days has the alert {id}: give its comment's key with it, KEY/{id}, or a \
             link to it; `modstream decisions waiting` lists the alerts that nobody decided"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modstream_events::Action;
    use modstream_links::{Claim, Signer};

    #[test]
    fn an_alert_is_named_by_its_id_or_a_link() {
        let (comment, id) = ("9668f631-51b3-57e2-a240-628cc2d26208", "d704ed39-889c-5b22-b41b-2e4fb9283bff");
        assert_eq!(Target::read(id).expect("an id"), Target::Id(id.to_owned()));
        let key = AlertKey { comment: comment.to_owned(), id: id.to_owned() };
        let claim = Claim::to_alert(&key, Action::Keep).expect("UUIDs");
        let signer = Signer::new(&[1; 32], None).expect("a key");
        let link = signer.link("https://example.org", &claim, SystemClock.now()).expect("a link");
        assert_eq!(Target::read(&link).expect("a link"), Target::Named(key.clone()));
        assert_eq!(Target::read(&key.to_string()).expect("a key and an id"), Target::Named(key));
        for text in [
            "k1",
            "2026-01-05T10/k1",
            "2026-01-05T10/d704ed39-889c-5b22-b41b-2e4fb9283bff",
            "https://example.org/a/",
            "https://example.org/a/AQHB",
            "https://example.org/d/AQHB",
        ] {
            assert!(Target::read(text).is_err(), "{text}");
        }
    }
}
