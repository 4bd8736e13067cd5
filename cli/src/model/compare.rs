//! `modstream model compare`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use modstream_classifier::artifact::{Format, Manifest};
use modstream_classifier::{BaseRate, Model, Scratch, SeenTexts};
use modstream_trainer::compare::{Comparison, Difference, FALSE_ALARMS, Scored, compare};
use modstream_trainer::{KnownText, LabelledComments, LabelledTexts, OfSource};
use plain_text::counted;
use publish_alerts::Policy;
use serde_json::{Value, json};

use super::label_rows::{Input, Kind};
use super::labelled::labelled;
use crate::common::args::{DEFAULT_CONDITION, base_rate};
use crate::common::display::{one_line, print, short_version, width};
use crate::common::input;
use crate::common::reading::LabelledArgs;
use crate::common::usage::Usage;
use crate::model::embedded;

/// How many comments are shown that one model scores higher than the other.
const SHOWN_COMMENTS: usize = 5;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream model compare rscience models/ours --input later-removals.csv
  modstream model compare harm models/harm-of-ours --input labelled.jsonl --json")]
pub(crate) struct CompareArgs {
    /// The model to compare with: one that is built in, or a folder
    #[arg(value_name = "A")]
    pub(crate) first: PathBuf,
    /// The other model
    #[arg(value_name = "B")]
    pub(crate) second: PathBuf,
    /// Comments with verdicts that neither model was trained on, or texts with labels, as `modstream evaluate` takes them
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// Which comments alert, by models of removals: `0.8`, `precision>=0.9` or `share<=0.05` [default: 0.7]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Option<Policy>,
    /// The share of comments that moderators remove, for both models [default: that of each one's training data]
    #[arg(long, value_name = "SHARE", value_parser = base_rate)]
    pub(crate) base_rate: Option<BaseRate>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) labelled: LabelledArgs,
}

/// A model, and what it was trained on.
struct Side {
    model: Model,
    manifest: Manifest,
    seen: Option<SeenTexts>,
}

impl Side {
    fn load(path: &Path, base_rate: Option<BaseRate>) -> anyhow::Result<Self> {
        let files = embedded::model_files(Some(path))?;
        let (model, manifest) = embedded::check_any(&files, Some(path))?;
        if manifest.format == Format::Labels && base_rate.is_some() {
            return Err(Usage::error("--base-rate is of models of removals: a model with labels has one for each"));
        }
        let seen = files.seen_texts().with_context(|| embedded::name(Some(path)))?;
        let model = base_rate.into_iter().fold(model, Model::at_base_rate);
        Ok(Side { model, manifest, seen })
    }

    fn named(&self) -> String {
        format!("{} {}", self.manifest.name, short_version(&self.manifest.version))
    }

    fn trained_on<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Option<u64> {
        let seen = self.seen.as_ref()?;
        let found: proportions::Proportion = texts.map(|text| seen.holds(text)).collect();
        Some(if modstream_trainer::checks::is_many(found) { found.part } else { 0 })
    }
}

/// A comparison of one label in the texts of one source.
struct Compared {
    label: String,
    source: Option<String>,
    /// None where too few rows have the label, or have it not.
    found: Option<Comparison>,
    rows: usize,
    /// The texts that the second model scores higher, and those that it scores lower, those that differ most first.
    differing: [Vec<Differing>; 2],
}

/// A text that two models score otherwise.
struct Differing {
    text: String,
    verdict: bool,
    probabilities: [f64; 2],
}

/// A row of one label.
struct Row<'t> {
    text: &'t str,
    verdict: bool,
    log_odds: [f64; 2],
    alerts: [bool; 2],
}

impl Compared {
    fn of(label: &str, source: Option<&str>, rows: &[Row<'_>], has_policy: bool) -> Self {
        let column = |side: usize| -> (Vec<f64>, Vec<bool>) {
            rows.iter().map(|row| (row.log_odds[side], row.alerts[side])).unzip()
        };
        let verdicts: Vec<bool> = rows.iter().map(|row| row.verdict).collect();
        let (first, second) = (column(0), column(1));
        let scored = |(log_odds, alerts)| Scored { log_odds, alerts: has_policy.then_some(alerts) };
        let found = compare(scored((&first.0[..], &first.1[..])), scored((&second.0[..], &second.1[..])), &verdicts);
        let higher = |row: &&Row<'_>| row.log_odds[1] - row.log_odds[0];
        let most = |sign: f64| -> Vec<Differing> {
            let mut of_sign: Vec<&Row<'_>> = rows.iter().filter(|row| higher(row) * sign > 0.0).collect();
            of_sign.sort_by(|a, b| (higher(b) * sign).total_cmp(&(higher(a) * sign)));
            let shown = of_sign.into_iter().take(SHOWN_COMMENTS).map(|row| Differing {
                text: row.text.to_owned(),
                verdict: row.verdict,
                probabilities: row.log_odds.map(|log_odds| modstream_classifier::LogOdds(log_odds).probability()),
            });
            shown.collect()
        };
        let differing = [most(1.0), most(-1.0)];
        Compared { label: label.to_owned(), source: source.map(str::to_owned), found, rows: rows.len(), differing }
    }
}

impl CompareArgs {
    /// Runs `modstream model compare`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let [first, second] = [&self.first, &self.second].map(|path| Side::load(path, self.base_rate));
        let sides = [first?, second?];
        let rows = Input::open(&self.input)?;
        let name = input::name(&self.input);
        let formats = [sides[0].manifest.format, sides[1].manifest.format];
        let (compared, trained_on) = match (&rows.kind, formats) {
            (_, [Format::Removal, Format::Labels] | [Format::Labels, Format::Removal]) => bail!(
                "{} and {} can't be compared: one says whether a comment would be removed, the other has labels",
                sides[0].named(),
                sides[1].named()
            ),
            (Kind::Labels, [Format::Removal, Format::Removal]) => {
                bail!(
                    "{name}: these are texts with labels, and neither model has any; comments have `body` and `removed`"
                )
            }
            (Kind::Verdicts, [Format::Labels, Format::Labels]) => bail!(
                "{name}: the models have labels, and no row has any: a row is such as {{\"text\":\"...\",\"labels\":{{\"toxic\":1}}}}"
            ),
            (Kind::Verdicts, _) => {
                let (path, held) = rows.into_parts();
                let comments = labelled(path, held, &self.labelled)?.comments;
                let trained_on = sides.each_ref().map(|side| side.trained_on(comments.iter().map(|(text, _)| text)));
                (vec![self.of_removals(&sides, &comments)], trained_on)
            }
            (Kind::Labels, _) => {
                if self.policy.is_some() {
                    return Err(Usage::error("--policy is of models of removals: leave it out"));
                }
                let texts = rows.texts(&self.labelled)?;
                let trained_on = sides.each_ref().map(|side| side.trained_on(texts.texts()));
                (of_labels(&sides, &texts)?, trained_on)
            }
        };
        ensure!(
            compared.iter().any(|it| it.found.is_some()),
            "{name}: too few rows to compare models on: {}; ten with a label and ten without it are needed",
            compared.iter().map(|it| format!("{} of {}", it.rows, it.label)).collect::<Vec<_>>().join(", ")
        );
        let names = sides.each_ref().map(Side::named);
        print(&if self.json {
            self.as_json(&sides, &compared, trained_on)
        } else {
            self.as_text(&names, &compared, trained_on)
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn of_removals(&self, sides: &[Side; 2], comments: &LabelledComments) -> Compared {
        let condition = self.policy.as_ref().map_or(DEFAULT_CONDITION, |policy| policy.condition);
        let mut scratch = Scratch::default();
        let mut one = |model: &Model, text: &str| {
            let score = model.score(text, &mut scratch);
            let is_judged = model.outside(&scratch).is_none();
            (score.log_odds.0, is_judged && condition.is_met_by(score.probability(), &model.operating_point(score)))
        };
        let rows: Vec<Row<'_>> = comments
            .iter()
            .map(|(text, verdict)| {
                let found = sides.each_ref().map(|side| one(&side.model, text));
                Row { text, verdict, log_odds: found.map(|it| it.0), alerts: found.map(|it| it.1) }
            })
            .collect();
        Compared::of("removal", None, &rows, true)
    }

    fn as_text(&self, names: &[String; 2], all: &[Compared], trained_on: [Option<u64>; 2]) -> String {
        let mut text = format!("A  {}\nB  {}\n", names[0], names[1]);
        for (name, count) in names.iter().zip(trained_on) {
            if let Some(count) = count.filter(|count| *count > 0) {
                text += &format!("look out: {name} was trained on {count} of these rows, which flatters it\n");
            }
        }
        let policy = self.policy.as_ref().map_or_else(|| DEFAULT_CONDITION.to_string(), |it| it.condition.to_string());
        for it in all {
            let Compared { label, source, found, rows, differing } = it;
            let from = source.as_deref().map_or_else(String::new, |source| format!(" of {}", one_line(source)));
            let Some(found) = found else {
                text += &format!("\n{label}: too few of {}{from} to compare on\n", counted(*rows, "row"));
                continue;
            };
            text += &format!("\n{label}: {}{from}, {} with it\n", counted(*rows, "row"), found.positives);
            text += &table(found, &policy);
            let words = ["B scores these higher than A", "B scores these lower than A"];
            for (words, some) in words.iter().zip(differing) {
                if !some.is_empty() {
                    text += &format!("\n  {words}:\n");
                }
                for Differing { text: row, verdict, probabilities: [first, second] } in some {
                    let line = format!(
                        "    {first:.2} -> {second:.2}  {}  {}",
                        if *verdict { "yes" } else { "no " },
                        one_line(row)
                    );
                    text += &console::truncate_str(&line, width(), "\u{2026}");
                    text.push('\n');
                }
            }
        }
        text += "\nB - A with its confidence interval of 95 %: over 1,000 draws of the same rows for both. Where it holds 0, the\n\
                 difference may be chance. Caught: at a threshold of each model's own. yes: the row has the label.\n";
        text
    }

    fn as_json(&self, sides: &[Side; 2], all: &[Compared], trained_on: [Option<u64>; 2]) -> String {
        let side = |side: &Side, trained_on: Option<u64>| json!({ "name": side.manifest.name, "version": side.manifest.version, "trained_on": trained_on });
        let one = |it: &Compared| {
            let mut value = json!({
                "label": it.label,
                "source": it.source,
                "rows": it.rows,
                "higher": it.differing[0].iter().map(differing_in_json).collect::<Vec<_>>(),
                "lower": it.differing[1].iter().map(differing_in_json).collect::<Vec<_>>(),
            });
            if let Some(found) = &it.found {
                value["positives"] = found.positives.into();
                value["roc_auc"] = in_json(&found.roc_auc);
                value["log_loss"] = in_json(&found.log_loss);
                let caught = found.caught.iter().zip(FALSE_ALARMS).map(|(found, false_alarms)| {
                    let mut it = in_json(found);
                    it["false_alarms"] = false_alarms.into();
                    it
                });
                value["caught"] = caught.collect();
                if let Some([precision, recall]) = &found.alerting {
                    value["precision"] = in_json(precision);
                    value["recall"] = in_json(recall);
                }
            }
            value
        };
        let line = json!({
            "a": side(&sides[0], trained_on[0]),
            "b": side(&sides[1], trained_on[1]),
            "compared": all.iter().map(one).collect::<Vec<_>>(),
        });
        format!("{line}\n")
    }
}

/// Every label that both models have, in the texts of each source.
fn of_labels<'t>(sides: &[Side; 2], texts: &'t LabelledTexts) -> anyhow::Result<Vec<Compared>> {
    let names = sides
        .each_ref()
        .map(|side| -> Vec<&str> { side.model.labels().iter().map(modstream_classifier::Label::name).collect() });
    let shared: Vec<&str> = names[0].iter().copied().filter(|name| names[1].contains(name)).collect();
    ensure!(
        !shared.is_empty(),
        "the models have no label in common: A has {}, B has {}",
        names[0].join(", "),
        names[1].join(", ")
    );
    let mut scratch = Scratch::default();
    let scores: Vec<[Vec<f64>; 2]> = texts
        .texts()
        .map(|text| {
            sides
                .each_ref()
                .map(|side| side.model.scores(text, &mut scratch).iter().map(|score| score.log_odds.0).collect())
        })
        .collect();
    let mut compared = Vec::new();
    for label in shared {
        let at = names.each_ref().map(|names| names.iter().position(|name| *name == label).unwrap_or_default());
        for OfSource { source, texts: known } in texts.known(label) {
            let row = |&KnownText { row, text, verdict }: &KnownText<'t>| Row {
                text,
                verdict,
                log_odds: [scores[row][0][at[0]], scores[row][1][at[1]]],
                alerts: [false; 2],
            };
            let rows: Vec<Row<'_>> = known.iter().map(row).collect();
            compared.push(Compared::of(label, source, &rows, false));
        }
    }
    ensure!(
        !compared.is_empty(),
        "the rows say nothing of the labels that both models have: they name {}",
        texts.labels().join(", ")
    );
    Ok(compared)
}

fn table(found: &Comparison, policy: &str) -> String {
    let mut text = format!("  {:<28} {:>7} {:>7}    B - A\n", "", "A", "B");
    // Writing into a String can't fail.
    let mut line = |name: &str, it: &Difference, less_is_better: bool| {
        let better = match (it.is_clear(), (it.difference() > 0.0) != less_is_better) {
            (false, _) => "",
            (true, true) => "  B is better",
            (true, false) => "  A is better",
        };
        let number = |value: f64| if value.is_finite() { format!("{value:.3}") } else { "-".to_owned() };
        let _ = writeln!(
            text,
            "  {name:<28} {:>7} {:>7}   {:+.3} ({:+.3} to {:+.3}){better}",
            number(it.first),
            number(it.second),
            it.difference(),
            it.interval.low,
            it.interval.high
        );
    };
    line("ROC-AUC", &found.roc_auc, false);
    line("log loss", &found.log_loss, true);
    for (caught, false_alarms) in found.caught.iter().zip(FALSE_ALARMS) {
        line(&format!("caught at {:.0} % false alarms", false_alarms * 100.0), caught, false);
    }
    if let Some([precision, recall]) = &found.alerting {
        line(&format!("precision, {policy}"), precision, false);
        line(&format!("recall, {policy}"), recall, false);
    }
    text
}

fn in_json(it: &Difference) -> Value {
    json!({
        "a": it.first,
        "b": it.second,
        "difference": it.difference(),
        "interval": [it.interval.low, it.interval.high],
        "clear": it.is_clear(),
    })
}

fn differing_in_json(it: &Differing) -> Value {
    let [first, second] = it.probabilities;
    json!({ "text": it.text, "verdict": it.verdict, "a": first, "b": second })
}
