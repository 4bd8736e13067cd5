//! What a demo shows.

use plain_text::{agree, counted, noun_of};
use std::cmp::Ordering;

use anyhow::Context as _;
use console::style;
use modstream_classifier::artifact::Manifest;
use modstream_events::{Alert, Event};
use modstream_policy::Policies;
use serde_json::{Value, json};

use crate::common::display;
use crate::common::progress::Live;
use crate::pipeline::audit::{Audit, Received};
use crate::pipeline::system::{Counts, Delivered, Digest, Ran, Schedule, Stop};

/// How many of a digest's alerts are shown.
const SHOWN_ALERTS: usize = 2;

/// What a demo is going to do.
pub(crate) struct Plan {
    pub(crate) schedule: Schedule,
    /// How many rows there are to send.
    pub(crate) rows: u64,
    pub(crate) policies: Policies,
    /// What the policies are called: a condition, or the document's file.
    pub(crate) condition: String,
    /// Whether they stand in a document.
    pub(crate) is_document: bool,
    /// Name and version of the harm model, where one scores, too.
    pub(crate) harm_model: Option<String>,
    pub(crate) model: Manifest,
    /// The share of comments that moderators remove.
    pub(crate) share: f64,
    /// Where that share comes from, if nobody said it.
    pub(crate) share_note: Option<&'static str>,
    /// What to say where no comment can meet the policy.
    pub(crate) out_of_reach: Option<String>,
    /// One line of JSON at the end, and nothing else.
    pub(crate) json: bool,
}

impl Plan {
    /// When a comment alerts, in words.
    pub(crate) fn alerts_when(&self) -> String {
        let Plan { condition, is_document, harm_model, .. } = self;
        match (is_document, harm_model) {
            (true, _) => format!("alerts as {condition} says"),
            (false, None) => format!("alerts where {condition}"),
            (false, Some(model)) => format!("alerts where {condition}, or where the model {model} says so"),
        }
    }
}

pub(crate) struct Screen<'a> {
    plan: &'a Plan,
    live: Live,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Screen { plan, live: Live::new() }
    }

    pub(crate) fn heading(&self) -> std::io::Result<()> {
        let Plan { schedule, rows, model, share, share_note, out_of_reach, json, .. } = self.plan;
        if *json {
            return Ok(());
        }
        let rate = schedule.rate.map_or_else(|| "as fast as it goes".to_owned(), |rate| format!("{rate} a second"));
        let text = format!(
            "{}, {rate}; model {} version {}; {}\n",
            counted(schedule.comments, "comment"),
            model.name,
            display::short_version(&model.version),
            self.plan.alerts_when()
        );
        self.live.print(&text)?;
        let hint = share_note.unwrap_or_default();
        let note = format!("assuming that {:.0} % of comments are removed{hint}\n", share * 100.0);
        self.live.print(&style(note).dim().to_string())?;
        if *rows < schedule.comments {
            self.live.print(
                &style(format!(
                    "there {} {rows} different {}: rows repeat\n",
                    agree(*rows, "is", "are"),
                    agree(*rows, "one", "ones")
                ))
                .dim()
                .to_string(),
            )?;
        }
        if let Some(note) = out_of_reach {
            self.live.print(&style(format!("{note}\n")).yellow().to_string())?;
        }
        self.live.print("\n")
    }

    pub(crate) fn alert(&self, delivered: &Delivered) -> anyhow::Result<Received> {
        let event: Event<'_, Alert<'_>> = Event::decode(delivered.body.as_bytes()).context("an alert")?;
        if !self.plan.json {
            self.live.print(&display::alert(&event))?;
        }
        Ok(Received::of(&event, delivered.at))
    }

    pub(crate) fn counts(&self, counts: Counts, alerts: usize) {
        let Counts { comments, predictions, quarantined } = counts;
        self.live.show(&format!(
            "{}  {}  {quarantined} quarantined  {}",
            counted(comments, "comment"),
            counted(predictions, "prediction"),
            counted(alerts, "alert")
        ));
    }

    /// Ends what moves on the screen.
    pub(crate) fn finish(&self) {
        self.live.finish();
    }

    pub(crate) fn summary(&self, audit: &Audit, ran: &Ran) -> std::io::Result<()> {
        if self.plan.json {
            return display::print(&format!("{}\n", self.json(audit, ran)));
        }
        let seconds = ran.took.as_secs_f64();
        let mut text = String::new();
        if ran.stop == Stop::Interrupted {
            text += "stopped early; what was on the stream by then was taken all the way\n";
        }
        text += &format!(
            "{:>7} {} in {seconds:.1} s, {:.0} a second\n",
            audit.comments,
            noun_of(audit.comments, "comment"),
            audit.comments as f64 / seconds
        );
        text += &format!(
            "{:>7} {}\n{:>7} quarantined\n",
            audit.predictions,
            noun_of(audit.predictions, "prediction"),
            audit.quarantined
        );
        let share = audit.alerts as f64 / audit.comments.max(1) as f64 * 100.0;
        text += &format!(
            "{:>7} {}, {share:.1} % of comments, {}\n",
            audit.alerts,
            noun_of(audit.alerts, "alert"),
            self.plan.condition
        );
        if audit.held_back > 0 {
            text += &format!("{:>7} held back: in the digest or at the desk\n", audit.held_back);
        }
        if let (0, Some(highest)) = (audit.alerts, audit.highest) {
            text += &format!("no alert: the highest probability was {highest:.2}\n");
        }
        if let (Some(p50), Some(p99)) = (audit.latency_ms(0.5), audit.latency_ms(0.99)) {
            text += &format!("from comment to alert: p50 {p50:.1} ms, p99 {p99:.1} ms\n");
        }
        if audit.broken.is_empty() {
            let repeats = if audit.duplicates > 0 {
                format!(" ({}, same ids)", counted(audit.duplicates, "repeat"))
            } else {
                String::new()
            };
            text += &format!("{}{repeats}\n", style("nothing lost, nothing doubled").green());
        }
        for promise in &audit.broken {
            text += &format!("{} {promise}\n", style("broken promise:").red().bold());
        }
        if let (Some(hint), false) = (&ran.hint, audit.broken.is_empty()) {
            text += &format!("{hint}\n");
        }
        self.live.print(&text)
    }

    /// The email that a subreddit's moderators get, its strongest alerts alone.
    pub(crate) fn digest(&self, digest: &Digest) -> std::io::Result<()> {
        let is_alert = |part: &&str| part.starts_with(|first: char| first.is_ascii_digit()) && part.contains("\n   | ");
        let more = digest.body.split("\n\n").filter(is_alert).count().saturating_sub(SHOWN_ALERTS);
        let mut text =
            format!("\n{}\n\nSubject: {}\n", style("And every five minutes, by email:").bold(), digest.subject);
        let mut shown = 0;
        for part in digest.body.split("\n\n") {
            if is_alert(&part) {
                shown += 1;
                match shown.cmp(&(SHOWN_ALERTS + 1)) {
                    Ordering::Less => {}
                    Ordering::Equal => {
                        text += &style(format!("\n   ({more} more)\n")).dim().to_string();
                        continue;
                    }
                    Ordering::Greater => continue,
                }
            }
            text += &format!("\n{}\n", part.trim_end());
        }
        text += &format!(
            "\n{}\n",
            style("Decide about alerts like these in your browser: `modstream desk`, or `cargo desk` in a checkout.")
                .bold()
        );
        self.live.print(&text)
    }

    fn json(&self, audit: &Audit, ran: &Ran) -> Value {
        let Plan { condition, model, out_of_reach, .. } = self.plan;
        let mut line = json!({
            "comments": audit.comments,
            "predictions": audit.predictions,
            "quarantined": audit.quarantined,
            "alerts": audit.alerts,
            "held_back": audit.held_back,
            "duplicates": audit.duplicates,
            "latency_ms": { "p50": audit.latency_ms(0.5), "p99": audit.latency_ms(0.99) },
            "seconds": ran.took.as_secs_f64(),
            "policy": condition,
            "model": { "name": model.name, "version": model.version },
            "interrupted": ran.stop == Stop::Interrupted,
        });
        if let Some(batches) = &ran.batches {
            line["batches"] = batches.clone();
        }
        if let Some(note) = out_of_reach {
            line["note"] = note.as_str().into();
        }
        if !audit.broken.is_empty() {
            let hint = ran.hint.iter().cloned();
            line["error"] = audit.broken.iter().cloned().chain(hint).collect::<Vec<_>>().join("; ").into();
        }
        line
    }
}
