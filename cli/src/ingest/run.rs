//! A source at work: what it says is put, and then its place is kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use modstream_platform::MAX_PUT_RECORDS;
use modstream_sources::{Ready, Said};
use plain_text::counted;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::feed::{Ended, Feed, Item, Told};
use super::sink::{Batch, Put, Sink};
use super::state::{Cursor, State};
use crate::common::display::{one_line, print};
use crate::common::interrupt::Interrupts;

/// How often a place is kept, at most.
const KEEP_EVERY: Duration = Duration::from_secs(5);
/// How often it is said how it goes.
const REPORT_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether one of these is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// From how far behind on it is said.
const BEHIND: i64 = 30;
/// How many events that are refused are named.
const MAX_NAMED: u64 = 20;

/// The first wait after a failure, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(60);

/// How long a source is left alone after so many failures and one more: longer each time, and never as long as others wait.
pub(super) fn wait_after(failures: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << failures.min(16)).min(MAX_WAIT).mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// What came of it so far.
#[derive(Clone, Debug, Default, Serialize)]
struct Counts {
    /// Events, by what they say.
    events: BTreeMap<&'static str, u64>,
    /// What is no event, by the reason.
    skipped: BTreeMap<&'static str, u64>,
    /// How often the source broke off, or did not answer.
    interruptions: u64,
    /// How often, and for how long in seconds, what was said is not to be had.
    gaps: u64,
    gap_seconds: u64,
}

impl Counts {
    fn events(&self) -> u64 {
        self.events.values().sum()
    }
}

/// What there is to do.
pub(super) struct Run {
    /// The protocol's name.
    pub(super) name: &'static str,
    pub(super) sink: Sink,
    /// Where the place is kept; none where nobody needs it.
    pub(super) state: Option<State>,
    /// The place that was kept before.
    pub(super) cursor: Option<Cursor>,
    /// After how many events it ends.
    pub(super) limit: Option<u64>,
    pub(super) json: bool,
    /// How long the source may take to end, where it has something to end.
    pub(super) ending: Duration,
}

/// Opens a state where one is named.
pub(super) fn open(path: Option<&Path>, source: &str) -> anyhow::Result<(Option<State>, Option<Cursor>)> {
    let Some(path) = path else { return Ok((None, None)) };
    let (state, cursor) = State::open(path, source)?;
    if let Some(cursor) = &cursor {
        // A state that can't be written is noticed before anything is read.
        state.write(cursor)?;
    }
    Ok((Some(state), cursor))
}

impl Run {
    /// Reads a source and puts what it says, until it ends, the limit is reached or an end is asked for.
    pub(super) async fn all<F>(self, source: impl FnOnce(Feed, Option<Cursor>) -> F) -> anyhow::Result<ExitCode>
    where
        F: Future<Output = Result<(), Ended>>,
    {
        let interrupts = Interrupts::listen()?;
        let (feed, items) = Feed::new();
        let mut putting = Putting {
            counts: Counts::default(),
            limit: self.limit,
            behind: None,
            place: None,
            is_kept: true,
            kept: Instant::now(),
            reported: Instant::now(),
            run: &self,
        };
        let started = Instant::now();
        let source = source(feed, self.cursor.clone());
        let (put, ended) = {
            let mut source = std::pin::pin!(source);
            let mut putting = std::pin::pin!(putting.all(items, &interrupts));
            let mut ended = None;
            let put = loop {
                tokio::select! {
                    biased;
                    put = putting.as_mut() => break put,
                    end = source.as_mut(), if ended.is_none() => ended = Some(end),
                }
            };
            if ended.is_none() && !self.ending.is_zero() {
                ended = tokio::time::timeout(self.ending, source.as_mut()).await.ok();
            }
            (put, ended)
        };
        // What is acknowledged is kept, whatever ended it.
        let kept = putting.keep();
        let (counts, behind) = (putting.counts.clone(), putting.behind);
        let failed = match ended {
            Some(Err(Ended::Failed(error))) => Err(error),
            _ => Ok(()),
        };
        match put.and(kept).and(failed) {
            Ok(()) => {
                self.tell(&counts, behind, started.elapsed(), interrupts.is_asked())?;
                Ok(ExitCode::SUCCESS)
            }
            // Standard output gets the error alone, where it is a line of JSON.
            Err(error) => {
                eprintln!("{}", in_words(self.name, &counts, behind));
                Err(error)
            }
        }
    }

    /// Says what came of it: on standard error, as one line of JSON on standard output where that is asked for.
    fn tell(&self, counts: &Counts, behind: Option<i64>, took: Duration, is_asked: bool) -> anyhow::Result<()> {
        if self.json {
            let line = json!({
                "source": self.name,
                "to": self.sink.name(),
                "events": counts.events,
                "skipped": counts.skipped,
                "interruptions": counts.interruptions,
                "gaps": counts.gaps,
                "gap_seconds": counts.gap_seconds,
                "behind_seconds": behind,
                "interrupted": is_asked,
                "seconds": took.as_secs_f64(),
            });
            return Ok(print(&format!("{line}\n"))?);
        }
        eprintln!("{}", in_words(self.name, counts, behind));
        Ok(())
    }
}

/// Puts what comes.
struct Putting<'a> {
    run: &'a Run,
    counts: Counts,
    /// How many events may come yet; none where any number may.
    limit: Option<u64>,
    /// How far behind the clock the source was at last, in seconds, where it says so.
    behind: Option<i64>,
    /// The latest place, and whether it is kept.
    place: Option<Cursor>,
    is_kept: bool,
    kept: Instant,
    reported: Instant,
}

impl Putting<'_> {
    async fn all(&mut self, mut items: mpsc::Receiver<Item>, interrupts: &Interrupts) -> anyhow::Result<()> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut taken = Vec::with_capacity(MAX_PUT_RECORDS);
        loop {
            let count = tokio::select! {
                biased;
                () = interrupts.asked() => return Ok(()),
                _ = look.tick() => {
                    self.look()?;
                    continue;
                }
                count = items.recv_many(&mut taken, MAX_PUT_RECORDS) => count,
            };
            if count == 0 || !self.take(std::mem::take(&mut taken), interrupts).await? {
                return Ok(());
            }
            self.look()?;
        }
    }

    /// Puts what was taken, and says whether to go on.
    async fn take(&mut self, items: Vec<Item>, interrupts: &Interrupts) -> anyhow::Result<bool> {
        let mut events: Vec<Ready> = Vec::new();
        // What is said of each, once all is put: with the place behind it, the counts hold for what is kept.
        let mut behind = Vec::with_capacity(items.len());
        let mut is_last = false;
        // Their memory is taken until they are put.
        let mut rooms = Vec::with_capacity(items.len());
        for Item { told, cursor, room, waits } in items {
            rooms.push(room);
            match told {
                Told::Said(Said::Event(event)) => {
                    behind.push((Some((event.kind, waits)), None, cursor));
                    events.push(event);
                    is_last = self.limit.is_some_and(|limit| self.counts.events() + events.len() as u64 >= limit);
                }
                Told::Said(Said::Skipped(skip)) => behind.push((None, Some(skip.as_str()), cursor)),
                Told::Skipped(name) => behind.push((None, Some(name), cursor)),
                Told::Interrupted(text) => {
                    eprintln!("{}", one_line(&text));
                    self.counts.interruptions += 1;
                }
                Told::Gap { seconds, text } => {
                    eprintln!("{}", one_line(&text));
                    self.counts.gaps += 1;
                    self.counts.gap_seconds = self.counts.gap_seconds.saturating_add(seconds);
                }
                Told::Place => behind.push((None, None, cursor)),
            }
            if is_last {
                break;
            }
        }
        let mut puts = match Box::pin(self.run.sink.put(events, interrupts)).await? {
            Batch::Done(puts) => puts.into_iter(),
            Batch::Unfinished => return Ok(false),
        };
        for (event, skipped, cursor) in behind {
            let (kind, waits) = event.unzip();
            let put = kind.and_then(|_| puts.next());
            let skipped = match &put {
                Some(Put::TooLarge) => Some("too_large"),
                Some(Put::Refused(message)) => {
                    if self.counts.skipped.get("refused").is_none_or(|refused| *refused < MAX_NAMED) {
                        eprintln!("{} refuses an event: {}", self.run.sink.name(), one_line(message));
                    }
                    Some("refused")
                }
                Some(Put::Taken) | None => skipped,
            };
            if let (Some(put), Some(waits)) = (put, waits.flatten()) {
                // Whoever waited may have gone.
                let _ = waits.send(put);
            }
            match (skipped, kind) {
                (Some(name), _) => *self.counts.skipped.entry(name).or_default() += 1,
                (None, Some(kind)) => *self.counts.events.entry(kind.as_str()).or_default() += 1,
                (None, None) => {}
            }
            if let Some(cursor) = cursor {
                self.note(cursor);
            }
        }
        Ok(!is_last)
    }

    /// Notes a place, behind which all is acknowledged.
    fn note(&mut self, cursor: Cursor) {
        if let Cursor::Time(micros) = cursor {
            self.behind = Some(Timestamp::now().as_second().saturating_sub(micros.div_euclid(1_000_000)));
        }
        // A source that goes back a little after it broke off has come no less far.
        let known = self.place.as_ref().or(self.run.cursor.as_ref());
        if known.is_some_and(|known| cursor.is_before(known)) {
            return;
        }
        (self.place, self.is_kept) = (Some(cursor), false);
    }

    fn look(&mut self) -> anyhow::Result<()> {
        if self.kept.elapsed() >= KEEP_EVERY {
            self.keep()?;
        }
        if self.reported.elapsed() >= REPORT_EVERY {
            eprintln!("{}", in_words(self.run.name, &self.counts, self.behind));
            self.reported = Instant::now();
        }
        Ok(())
    }

    /// Keeps the place, where there is one to keep.
    fn keep(&mut self) -> anyhow::Result<()> {
        if let (Some(state), Some(place), false) = (&self.run.state, &self.place, self.is_kept) {
            state.write(place)?;
            self.is_kept = true;
        }
        self.kept = Instant::now();
        Ok(())
    }
}

fn in_words(name: &str, counts: &Counts, behind: Option<i64>) -> String {
    let list = |counts: &BTreeMap<&str, u64>| {
        counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("{name}: {}", counted(counts.events(), "event"));
    if !counts.events.is_empty() {
        text += &format!(" ({})", list(&counts.events));
    }
    if !counts.skipped.is_empty() {
        text += &format!("; skipped: {}", list(&counts.skipped));
    }
    if counts.interruptions > 0 {
        text += &format!("; {}", counted(counts.interruptions, "interruption"));
    }
    if counts.gaps > 0 {
        text += &format!("; {} of {} s", counted(counts.gaps, "gap"), counts.gap_seconds);
    }
    if let Some(behind) = behind.filter(|behind| *behind > BEHIND) {
        text += &format!("; {behind} s behind");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_goes_on_failing_is_asked_less_and_less() {
        for failures in [0, 1, 5, 7, 40, u32::MAX] {
            let most = FIRST_WAIT.saturating_mul(1 << failures.min(16)).min(MAX_WAIT);
            let waits: Vec<Duration> = (0..50).map(|_| wait_after(failures)).collect();
            assert!(waits.iter().all(|wait| (most / 2..=most).contains(wait)), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "many who wait do not come back at once");
        }
    }

    #[test]
    fn what_came_of_it_is_one_line() {
        let counts = Counts {
            events: BTreeMap::from([("created", 1_204), ("deleted", 7)]),
            skipped: BTreeMap::from([("no_text", 3)]),
            interruptions: 1,
            gaps: 1,
            gap_seconds: 90,
        };
        assert_eq!(
            in_words("bluesky", &counts, Some(45)),
            "bluesky: 1211 events (1204 created, 7 deleted); skipped: 3 no_text; 1 interruption; 1 gap of 90 s; 45 s behind"
        );
        assert_eq!(in_words("lemmy", &Counts::default(), Some(2)), "lemmy: 0 events");
    }
}
