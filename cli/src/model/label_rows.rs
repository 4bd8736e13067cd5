//! Texts with labels, and what is measured on them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, Cursor, Read as _};
use std::path::Path;

use anyhow::Context as _;
use modstream_classifier::artifact::{HeadEntry, SourceMetrics};
use modstream_corpus::{LabelReader, LabelRow, RowKinds, open_file};
use modstream_trainer::LabelledTexts;
use plain_text::{agree, counted};

use crate::common::display;
use crate::common::input;
use crate::common::progress::Progress;
use crate::common::reading::LabelledArgs;
use crate::common::usage::Usage;

/// How many bad rows an error names.
const NAMED_ROWS: usize = 5;

/// What the rows of an input are.
pub(super) enum Kind {
    /// Comments, with verdicts or without.
    Verdicts,
    /// Texts with labels.
    Labels,
}

/// An input that is looked through before it is read.
pub(super) struct Input<'p> {
    path: &'p Path,
    /// What came on standard input, which can be read but once.
    held: Option<Vec<u8>>,
    pub(super) kind: Kind,
}

impl<'p> Input<'p> {
    /// Finds out what the rows of an input are.
    ///
    /// # Errors
    /// Where it can't be read, or holds rows of both kinds.
    pub(super) fn open(path: &'p Path) -> anyhow::Result<Self> {
        let held = if input::is_standard_input(path) {
            input::say_where_from_a_terminal("comments or texts with labels, one JSON object a line,");
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).context(input::STANDARD_INPUT)?;
            Some(bytes)
        } else {
            None
        };
        let name = input::name(path);
        let kinds = match &held {
            Some(bytes) => RowKinds::of(&name, Cursor::new(bytes.clone()))?,
            None => RowKinds::of(&name, open_file(path)?)?,
        };
        let kind = match kinds {
            RowKinds { labels: None, .. } => Kind::Verdicts,
            RowKinds { verdicts: None, .. } => Kind::Labels,
            RowKinds { labels: Some(labels), verdicts: Some(verdicts) } => anyhow::bail!(
                "{name}: line {labels} has `labels`, and line {verdicts} has none: a file holds texts with labels or comments \
                 with verdicts; split it"
            ),
        };
        Ok(Input { path, held, kind })
    }

    /// The path, and what was read of standard input.
    pub(super) fn into_parts(self) -> (&'p Path, Option<Vec<u8>>) {
        (self.path, self.held)
    }

    /// Reads texts with labels. Every row must be good: a label that is lost silently would change the model.
    ///
    /// # Errors
    /// Where rows can't be used; the error counts them and names some.
    pub(super) fn texts(self, args: &LabelledArgs) -> anyhow::Result<LabelledTexts> {
        let format = &args.format;
        if format.delimiter.is_some()
            || format.text_column.is_some()
            || args.label_column.is_some()
            || args.removed_value.is_some()
        {
            return Err(Usage::error(
                "rows with labels are JSON Lines with `text` and `labels`: without --delimiter, --text-column, --label-column and \
                 --removed-value",
            ));
        }
        let name = input::name(self.path);
        let rows = match self.held {
            Some(bytes) => LabelReader::new(&name, Cursor::new(bytes))?,
            None => LabelReader::new(&name, open_file(self.path)?)?,
        };
        let mut texts = LabelledTexts::new(args.placeholders());
        let mut said = Said::default();
        let (mut count, mut bad) = (0, Vec::new());
        let progress = Progress::new("reading texts", None);
        for row in rows {
            let problem = match row {
                Ok(row) => said.contradiction(&row).or_else(|| {
                    let labels = row.labels.iter().map(|(label, value)| (label.as_str(), *value));
                    texts.push_line(row.line, &row.text, labels, row.source.as_deref());
                    None
                }),
                Err(error) => Some(format!("line {}: {error}", error.line)),
            };
            if let Some(problem) = problem {
                count += 1;
                if bad.len() < NAMED_ROWS {
                    bad.push(problem);
                }
            }
            progress.at(texts.len() as u64);
        }
        progress.finish();
        let gone = texts.left_out();
        if gone.count() > 0 {
            eprintln!(
                "{} {} left out: {} text is gone: {}",
                counted(gone.count(), "row"),
                agree(gone.count(), "is", "are"),
                agree(gone.count(), "its", "their"),
                display::one_line(&gone.to_string())
            );
        }
        if count > 0 {
            let more = count - bad.len();
            let and_more = if more > 0 { format!("; and {more} more") } else { String::new() };
            anyhow::bail!(
                "{name}: {} can't be used: {}{and_more}",
                counted(count, "row"),
                display::one_line(&bad.join("; "))
            );
        }
        anyhow::ensure!(!texts.is_empty(), "{name}: there are no rows with a text");
        Ok(texts)
    }
}

/// What rows said of texts.
#[derive(Default)]
struct Said(HashMap<String, BTreeMap<String, (bool, u64)>>);

impl Said {
    /// How a row contradicts an earlier one about an equal text, if it does.
    fn contradiction(&mut self, row: &LabelRow) -> Option<String> {
        let before = self.0.entry(row.text.trim().to_lowercase()).or_default();
        let known = || row.labels.iter().filter_map(|(label, value)| Some((label, (*value)?)));
        for (label, value) in known() {
            if let Some(&(other, line)) = before.get(label).filter(|(other, _)| *other != value) {
                return Some(format!(
                    "line {}: the label `{label}` is {}, and {} in line {line}, of the same text; make it null in both, or decide",
                    row.line,
                    u8::from(value),
                    u8::from(other)
                ));
            }
        }
        known().for_each(|(label, value)| {
            before.entry(label.clone()).or_insert((value, row.line));
        });
        None
    }
}

/// The heads as a table: what each was measured on, and how good it is.
pub(super) fn heads(heads: &[HeadEntry]) -> String {
    let width = heads.iter().map(|head| head.label.len()).max().unwrap_or(0).max("label".len());
    let mut text = format!("  {:width$}  {:>7}  {:>7}  ROC-AUC  {}\n", "label", "texts", "with it", caught_header());
    for head in heads {
        let caught = head.thresholds.iter().map(|it| format!("{:>13.2}", it.caught)).collect::<String>();
        let source = head.measured.source.as_deref().map(|source| format!("  {}", display::one_line(source)));
        // Writing into a String can't fail.
        let _ = writeln!(
            text,
            "  {:width$}  {:>7}  {:>7}  {:>7.3}  {caught}{}",
            head.label,
            head.training.texts,
            head.training.positives,
            head.metrics.roc_auc,
            source.unwrap_or_default()
        );
    }
    text
}

fn caught_header() -> &'static str {
    "caught at 1 %  at 5 % of false alarms"
}

/// One label's quality by source.
pub(super) fn sources(label: &str, sources: &[SourceMetrics]) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let named = |it: &SourceMetrics| it.source.as_deref().map_or_else(|| "no source".to_owned(), display::one_line);
    let width = sources.iter().map(|it| console::measure_text_width(&named(it))).max().unwrap_or(0).max(8);
    let mut text = format!(
        "{label}\n  {:width$}  {:>7}  {:>7}  {:>7}  {:>9}  at 1 %: caught  false alarms  at 5 %: caught  false alarms\n",
        "source", "texts", "with it", "ROC-AUC", "precision"
    );
    for it in sources {
        let at = |index: usize| {
            let found = it.at_thresholds.get(index);
            let (caught, false_alarms) = (found.and_then(|it| it.caught), found.and_then(|it| it.false_alarms));
            format!("{:>14}  {:>12}", number(caught), number(false_alarms))
        };
        // Writing into a String can't fail.
        let _ = writeln!(
            text,
            "  {}  {:>7}  {:>7}  {:>7}  {:>9}  {}  {}",
            console::pad_str(&named(it), width, console::Alignment::Left, None),
            it.counts.texts,
            it.counts.positives,
            number(it.roc_auc),
            number(it.pr_auc),
            at(0),
            at(1)
        );
    }
    text
}
