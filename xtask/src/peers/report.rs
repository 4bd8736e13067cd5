//! What the run found, as JSON and as tables.

use serde::{Deserialize, Serialize};

use super::table::Table;

/// What was read and how it was split: comments a fold.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Split {
    pub(super) train: Vec<u64>,
    pub(super) test: Vec<u64>,
    /// How many of those in `test` were removed.
    pub(super) removed: Vec<u64>,
    pub(super) without_text: u64,
    pub(super) in_train_and_test: u64,
}

/// How good a classifier's probabilities are.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Quality<T> {
    roc_auc: T,
    average_precision: T,
    log_loss: T,
    ece: T,
}

/// A classifier's quality, and how it differs from modstream's.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Compared {
    values: Quality<f64>,
    /// 95 % intervals of the differences.
    #[serde(skip_serializing_if = "Option::is_none")]
    intervals: Option<Quality<[f64; 2]>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fold_roc_auc_differences: Vec<f64>,
}

/// Speed in comments a CPU-second, and the seconds from a process's start to its first prediction.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Speed {
    pub(super) one_by_one: f64,
    pub(super) batched: Option<f64>,
    pub(super) first_prediction_seconds: f64,
    #[serde(skip)]
    pub(super) peak_memory: Option<u64>,
}

impl Speed {
    pub(super) fn median(runs: &[Speed]) -> Self {
        let of = |value: fn(&Speed) -> f64| median(runs.iter().map(value).collect());
        let batched: Vec<f64> = runs.iter().filter_map(|run| run.batched).collect();
        Self {
            one_by_one: of(|run| run.one_by_one),
            batched: (!batched.is_empty()).then(|| median(batched)),
            first_prediction_seconds: of(|run| run.first_prediction_seconds),
            peak_memory: runs.iter().filter_map(|run| run.peak_memory).max(),
        }
    }
}

/// A classifier and all that was measured of it.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) peer: &'static str,
    #[serde(skip)]
    pub(super) title: &'static str,
    #[serde(flatten)]
    pub(super) quality: Compared,
    #[serde(flatten)]
    pub(super) speed: Speed,
    pub(super) training_cpu_seconds: f64,
    #[serde(rename = "peak_memory_bytes")]
    pub(super) peak_memory: u64,
    pub(super) model_bytes: u64,
    pub(super) installed_bytes: u64,
}

/// A peer that can't be installed here, or fails.
#[derive(Debug, Serialize)]
pub(super) struct LeftOut {
    title: &'static str,
    reason: String,
}

impl LeftOut {
    pub(super) fn not_installed(title: &'static str, error: &anyhow::Error) -> Self {
        let said = format!("{error:#}");
        let reason = said.lines().last().unwrap_or_default().trim_start_matches("ERROR: ");
        Self { title, reason: format!("it can't be installed: {reason}") }
    }

    pub(super) fn failed(title: &'static str) -> Self {
        Self { title, reason: "it failed; .local/logs/peers.log says why".to_owned() }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) split: Split,
    pub(super) runs: u8,
    /// Whether everything was held on one core, or only told to use one thread.
    pub(super) one_core: bool,
    /// The classifiers, modstream first.
    pub(super) peers: Vec<Measured>,
    pub(super) left_out: Vec<LeftOut>,
}

const QUALITY: &str = "\
0.767 [-.035,-.018] is a value and the 95 % interval of its difference to modstream's: percentiles
of 1,000 paired bootstrap resamples of the test comments, the same for all.
ROC-AUC: how often a removed comment is ranked above another one.
Average precision: the area under precision over recall.
Log loss: what wrong probabilities cost; less is better.
ECE: how far probabilities are from the shares that come true, over ten bins; less is better.
";

const COST: &str = "\
One by one, batched: comments a CPU-second, user and system time; (1/300) is a 300th of modstream's.
Peers are measured inside a process that holds model and texts; modstream is its whole process, from
CSV to JSON, and knows no batches.
Training: CPU-seconds of the whole process.
Memory: the most that scoring a file takes (RSS), Python included where it is Python.
First: from the start of the process to its first prediction.
Model: on disk. Installed: modstream's program; a peer's packages, without Python itself.
";

impl Report {
    pub(super) fn text(&self, markdown: bool) -> String {
        let render = |table: &Table| if markdown { table.markdown() } else { table.aligned() };
        let mut parts = vec![self.about(), render(&self.quality())];
        if self.split.test.len() > 1 {
            parts.push(render(&self.by_fold()));
        }
        parts.push(render(&self.cost()));
        let left_out = self.left_out.iter();
        parts.extend(left_out.map(|peer| format!("{} is left out: {}\n", peer.title, peer.reason)));
        parts.extend([QUALITY.to_owned(), COST.to_owned()]);
        parts.join("\n")
    }

    fn about(&self) -> String {
        let Split { train, test, removed, without_text, in_train_and_test } = &self.split;
        let tested: u64 = test.iter().sum();
        let share = 100.0 * removed.iter().sum::<u64>() as f64 / tested as f64;
        let mut text = if test.len() > 1 {
            format!("{} comments in {} folds, {share:.0} % of them removed", grouped(tested), test.len())
        } else {
            let trained = grouped(train.iter().sum());
            format!("{trained} comments to train on, {} to test on, {share:.0} % of these removed", grouped(tested))
        };
        text += &format!("; one {}, median of {} runs.\n", if self.one_core { "core" } else { "thread" }, self.runs);
        if *without_text > 0 {
            text += &format!("{} comments without text were left out.\n", grouped(*without_text));
        }
        if *in_train_and_test > 0 {
            text += &format!("{} test comments have the text of one to train on.\n", grouped(*in_train_and_test));
        }
        text
    }

    fn quality(&self) -> Table {
        let mut table = Table::new(&["", "ROC-AUC", "average precision", "log loss", "ECE"]);
        for Measured { title, quality: Compared { values, intervals, .. }, .. } in &self.peers {
            let between = intervals.as_ref();
            table.rows.push(vec![
                (*title).to_owned(),
                valued(values.roc_auc, between.map(|between| between.roc_auc)),
                valued(values.average_precision, between.map(|between| between.average_precision)),
                valued(values.log_loss, between.map(|between| between.log_loss)),
                valued(values.ece, between.map(|between| between.ece)),
            ]);
        }
        table
    }

    fn by_fold(&self) -> Table {
        let folds: Vec<String> = (1..=self.split.test.len()).map(|fold| format!("fold {fold}")).collect();
        let header = std::iter::once("ROC-AUC less modstream's").chain(folds.iter().map(String::as_str));
        let mut table = Table::new(&header.collect::<Vec<_>>());
        for peer in &self.peers[1..] {
            let differences = peer.quality.fold_roc_auc_differences.iter().map(|difference| signed(*difference));
            table.rows.push(std::iter::once(peer.title.to_owned()).chain(differences).collect());
        }
        table
    }

    fn cost(&self) -> Table {
        let mut table = Table::new(&["", "one by one", "batched", "training", "memory", "first", "model", "installed"]);
        let ours = self.peers[0].speed.one_by_one;
        for (number, peer) in self.peers.iter().enumerate() {
            let rate = |rate: f64| if number == 0 { rounded(rate) } else { compared(rate, ours) };
            table.rows.push(vec![
                peer.title.to_owned(),
                rate(peer.speed.one_by_one),
                peer.speed.batched.map_or_else(|| "-".to_owned(), rate),
                format!("{:.1} s", peer.training_cpu_seconds),
                size(peer.peak_memory),
                format!("{} ms", rounded(1000.0 * peer.speed.first_prediction_seconds)),
                size(peer.model_bytes),
                size(peer.installed_bytes),
            ]);
        }
        table
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// A value and the interval of its difference: `0.767 [-.035,-.018]`.
fn valued(value: f64, between: Option<[f64; 2]>) -> String {
    match between {
        Some([low, high]) => format!("{value:.3} [{},{}]", signed(low), signed(high)),
        None => format!("{value:.3}"),
    }
}

/// A difference with a sign and no leading zero: `-.035`.
fn signed(value: f64) -> String {
    if value.abs() < 0.9995 { format!("{value:+.3}").replacen('0', "", 1) } else { format!("{value:+.2}") }
}

/// A rate and what part of ours it is: `1,020 (1/325)`.
fn compared(rate: f64, ours: f64) -> String {
    let times = ours / rate;
    let part = if times < 9.95 { format!("{times:.1}") } else { rounded(times) };
    format!("{} (1/{part})", rounded(rate))
}

/// A number in two significant digits below a hundred, and in three above.
fn rounded(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.0}");
    }
    let unit = 10_f64.powi(value.log10().floor() as i32 - 2);
    grouped(((value / unit).round() * unit).round() as u64)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn size(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes < 1.0 {
        format!("{} kB", rounded(bytes as f64 / 1e3))
    } else if megabytes < 9.95 {
        format!("{megabytes:.1} MB")
    } else {
        format!("{} MB", rounded(megabytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed(one_by_one: f64, batched: Option<f64>) -> Speed {
        Speed { one_by_one, batched, first_prediction_seconds: 1.234, peak_memory: None }
    }

    fn measured(title: &'static str, quality: &str, speed: Speed) -> Measured {
        Measured {
            peer: title,
            title,
            quality: serde_json::from_str(quality).expect("as bench.py compare prints it"),
            speed,
            training_cpu_seconds: 12.34,
            peak_memory: 123_456_789,
            model_bytes: 52_000,
            installed_bytes: 1_512_000_000,
        }
    }

    fn report(folds: usize) -> Report {
        let ours = r#"{"values": {"roc_auc": 0.79, "average_precision": 0.62, "log_loss": 0.5, "ece": 0.03}}"#;
        let theirs = r#"{"values": {"roc_auc": 0.767, "average_precision": 0.6, "log_loss": 1.52, "ece": 0.03},
            "intervals": {"roc_auc": [-0.0348, -0.0183], "average_precision": [-0.04, 0.0002],
                          "log_loss": [0.9, 1.234], "ece": [-0.0098, 0.0114]},
            "fold_roc_auc_differences": [-0.0174, -0.0226]}"#;
        Report {
            split: Split {
                train: vec![4550; folds],
                test: vec![1138; folds],
                removed: vec![368; folds],
                without_text: 3,
                in_train_and_test: 0,
            },
            runs: 5,
            one_core: true,
            peers: vec![
                measured("modstream", ours, speed(331_204.0, None)),
                measured("Vowpal Wabbit", theirs, speed(1_019.6, Some(60_000.0))),
            ],
            left_out: vec![LeftOut::not_installed(
                "fastText",
                &anyhow::anyhow!("pip failed:\nERROR: No matching distribution"),
            )],
        }
    }

    #[test]
    fn the_text_is_readable_at_a_hundred_columns() {
        let text = report(2).text(false);
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        for found in [
            "2,276 comments in 2 folds, 32 % of them removed; one core, median of 5 runs.\n3 comments without text",
            "Vowpal Wabbit  0.767 [-.035,-.018]  0.600 [-.040,+.000]  1.520 [+.900,+1.23]  0.030 [-.010,+.011]\n",
            "Vowpal Wabbit              -.017   -.023\n",
            "331,000 ",
            "1,020 (1/325)  60,000 (1/5.5)    12.3 s  123 MB  1,230 ms  52 kB   1,510 MB\n",
            "fastText is left out: it can't be installed: No matching distribution\n",
        ] {
            assert!(text.contains(found), "{found:?} is not in\n{text}");
        }
    }

    #[test]
    fn two_files_have_no_folds_and_markdown_has_rules() {
        let text = report(1).text(true);
        assert!(text.starts_with("4,550 comments to train on, 1,138 to test on, 32 % of these removed;"), "{text}");
        assert!(text.contains("|---|--:|--:|--:|--:|\n| modstream | 0.790 |"), "{text}");
        assert!(!text.contains("fold 1"), "{text}");
    }

    #[test]
    fn json_has_everything_by_name() {
        let json = serde_json::to_value(report(2)).expect("serialises");
        assert_eq!(json["peers"][1]["values"]["roc_auc"], 0.767);
        assert_eq!(json["peers"][1]["intervals"]["ece"][1], 0.0114);
        assert_eq!(json["peers"][0]["one_by_one"], 331_204.0);
        assert_eq!(json["peers"][0]["batched"], serde_json::Value::Null);
        assert_eq!(json["peers"][0]["peak_memory_bytes"], 123_456_789);
        assert_eq!(json["test"][1], 1138);
        assert_eq!(json["left_out"][0]["reason"], "it can't be installed: No matching distribution");
    }

    #[test]
    fn the_median_of_runs_counts() {
        let runs = [3.0, 1.0, 2.0].map(|rate| speed(rate, Some(2.0 * rate)));
        let median = Speed::median(&runs);
        assert_eq!((median.one_by_one, median.batched), (2.0, Some(4.0)));
        assert_eq!(Speed::median(&runs[..2]).one_by_one, 2.0);
        assert_eq!(Speed::median(&[speed(1.0, None)]).batched, None);
    }

    #[test]
    fn numbers_show_what_is_known_of_them() {
        assert_eq!(
            [3.4, 99.4, 331_204.0, 1_019.6, 999_600.0].map(rounded),
            ["3", "99", "331,000", "1,020", "1,000,000"]
        );
        assert_eq!([-0.0348, 0.0, 0.9994, 1.234].map(signed), ["-.035", "+.000", "+.999", "+1.23"]);
        assert_eq!([52_000, 6_200_000, 17_400_000].map(size), ["52 kB", "6.2 MB", "17 MB"]);
        assert_eq!(compared(200_000.0, 331_000.0), "200,000 (1/1.7)");
    }
}
