//! What is counted, and what the file says, as Prometheus reads it
//! ([text format](https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format)).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use modstream_platform::sqlite::DatabaseError;

use super::data::DataFolder;

/// The type that Prometheus asks for.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A name with its labels, as it is written.
type Series = (&'static str, String);

/// What this process counts.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    counts: Mutex<BTreeMap<Series, u64>>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Batch {
    Done,
    /// Some of it comes again.
    Again,
    /// The function failed as a whole.
    Failed,
}

impl Metrics {
    fn add(&self, name: &'static str, labels: String, number: u64) {
        if number > 0 {
            *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry((name, labels)).or_default() += number;
        }
    }

    /// Comments were taken, of which so many are repeats.
    pub(super) fn taken(&self, new: u64, repeated: u64) {
        self.add(ACCEPTED, String::new(), new);
        self.add(REPEATED, String::new(), repeated);
    }

    /// Entries were refused.
    pub(super) fn refused(&self, reason: &'static str, number: u64) {
        self.add(REFUSED, format!("{{reason=\"{reason}\"}}"), number);
    }

    /// A request was answered.
    pub(super) fn answered(&self, path: &'static str, status: u16) {
        self.add(REQUESTS, format!("{{path=\"{path}\",status=\"{status}\"}}"), 1);
    }

    /// A function answered a batch.
    pub(super) fn batch(&self, function: &'static str, outcome: Batch) {
        let outcome = match outcome {
            Batch::Done => "done",
            Batch::Again => "again",
            Batch::Failed => "failed",
        };
        self.add(BATCHES, format!("{{function=\"{function}\",outcome=\"{outcome}\"}}"), 1);
    }

    /// Work beside the batches failed: a digest, an email, tidying up.
    pub(super) fn failed(&self, what: &'static str) {
        self.add(ERRORS, format!("{{what=\"{what}\"}}"), 1);
    }

    /// All of it, with what the file says.
    pub(super) fn text(&self, data: &DataFolder) -> Result<String, DatabaseError> {
        let mut all: BTreeMap<Series, f64> = BTreeMap::new();
        // What never was is zero, not missing: a rate over it needs a beginning.
        for name in [ACCEPTED, REPEATED] {
            all.insert((name, String::new()), 0.0);
        }
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.extend(counts.into_iter().map(|(series, count)| (series, count as f64)));
        for (stream, of) in data.streams() {
            all.insert((RECORDS, format!("{{stream=\"{stream}\"}}")), of.count()? as f64);
            for (function, behind) in of.behind()? {
                let labels = format!("{{stream=\"{stream}\",function=\"{function}\"}}");
                all.insert((WAITING, labels.clone()), behind.records as f64);
                all.insert((AGE, labels), behind.age.as_secs_f64());
            }
        }
        let size = data.database.size()?;
        all.insert((BYTES, String::new()), size.bytes as f64);
        all.insert((FREE, String::new()), size.free as f64);
        let trouble = data.database.trouble().is_some();
        all.insert((TROUBLE, String::new()), f64::from(u8::from(trouble)));
        Ok(written(&all))
    }
}

const ACCEPTED: &str = "modstream_comments_accepted_total";
const REPEATED: &str = "modstream_comments_repeated_total";
const REFUSED: &str = "modstream_comments_refused_total";
const REQUESTS: &str = "modstream_requests_total";
const BATCHES: &str = "modstream_batches_total";
const ERRORS: &str = "modstream_errors_total";
const RECORDS: &str = "modstream_records_total";
const WAITING: &str = "modstream_waiting_records";
const AGE: &str = "modstream_iterator_age_seconds";
const BYTES: &str = "modstream_data_bytes";
const FREE: &str = "modstream_data_free_bytes";
const TROUBLE: &str = "modstream_data_trouble";

fn help(name: &str) -> (&'static str, &'static str) {
    match name {
        ACCEPTED => ("counter", "Comment events taken by HTTP that were new."),
        REPEATED => ("counter", "Comment events taken by HTTP that were there already."),
        REFUSED => ("counter", "Entries of requests that are no comment event."),
        REQUESTS => ("counter", "Requests that were answered."),
        BATCHES => ("counter", "Batches that a function answered."),
        ERRORS => ("counter", "Work beside the batches that failed, and is tried again."),
        RECORDS => (
            "counter",
            "Records ever put on a stream: comments, predictions, alerts; also by others than this process.",
        ),
        WAITING => ("gauge", "Records of a stream that a function has not come to."),
        AGE => ("gauge", "How long the first record has waited that a function has not come to."),
        BYTES => ("gauge", "The size of the data file."),
        FREE => ("gauge", "What of the data file is free, and is used before it grows."),
        _ => ("gauge", "1 while the data file can't be read or written."),
    }
}

fn written(all: &BTreeMap<Series, f64>) -> String {
    let mut text = String::new();
    let mut last = "";
    for ((name, labels), value) in all {
        // Writing into a String never fails.
        if *name != last {
            let (kind, help) = help(name);
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            last = name;
        }
        let _ = writeln!(text, "{name}{labels} {value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_explained_once_before_its_values() {
        let metrics = Metrics::default();
        metrics.taken(3, 1);
        metrics.refused("not_json", 1);
        metrics.refused("too_large", 1);
        metrics.refused("not_json", 1);
        let counts = metrics.counts.lock().expect("not poisoned").clone();
        let text = written(&counts.into_iter().map(|(series, count)| (series, count as f64)).collect());
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("# HELP")).collect();
        assert_eq!(
            lines,
            [
                "# TYPE modstream_comments_accepted_total counter",
                "modstream_comments_accepted_total 3",
                "# TYPE modstream_comments_refused_total counter",
                "modstream_comments_refused_total{reason=\"not_json\"} 2",
                "modstream_comments_refused_total{reason=\"too_large\"} 1",
                "# TYPE modstream_comments_repeated_total counter",
                "modstream_comments_repeated_total 1",
            ]
        );
    }
}
