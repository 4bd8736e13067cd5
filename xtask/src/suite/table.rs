//! The table of steps that ends a run.

use serde::{Deserialize, Serialize};

use super::ended::Ended;

/// How a step went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) step: String,
    pub(super) ended: Ended,
    pub(super) seconds: f64,
    /// CPU seconds of the programs that ended meanwhile, where the system tells.
    pub(super) cpu_seconds: Option<f64>,
    /// Whether it ran while others did.
    pub(super) beside: bool,
    /// The names and seconds of what it is made of.
    pub(super) parts: Vec<(String, f64)>,
}

impl Row {
    pub(super) fn not_run(step: &str) -> Self {
        Row {
            step: step.to_owned(),
            ended: Ended::NotRun,
            seconds: 0.0,
            cpu_seconds: None,
            beside: false,
            parts: Vec::new(),
        }
    }
}

/// The rows below each other; with `timings` also CPU seconds, and what steps are made of.
pub(super) fn table(rows: &[Row], timings: bool) -> String {
    let width = rows.iter().map(|row| row.step.len()).max().unwrap_or_default();
    let mut text = String::new();
    for row in rows {
        let seconds = if row.ended == Ended::NotRun { String::new() } else { format!("{:.1} s", row.seconds) };
        let cpu = row.cpu_seconds.filter(|_| timings).map_or_else(String::new, |cpu| format!("  {cpu:>7.1} CPU s"));
        let beside = if row.beside { "  beside the others" } else { "" };
        let line = format!("{:width$}  {:14}  {seconds:>9}{cpu}{beside}", row.step, row.ended);
        text.push_str(&format!("{}\n", line.trim_end()));
        for (name, seconds) in row.parts.iter().filter(|_| timings) {
            text.push_str(&format!("{:width$}  {seconds:>8.1} s  {name}\n", ""));
        }
    }
    text
}

/// The CPU seconds of all programs that this one has started and that have ended, where the system tells.
pub(super) fn cpu_seconds() -> Option<f64> {
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name in parentheses may hold anything; `cutime` and
    // `cstime` are the 14th and 15th field after it, in hundredths on every Linux that Rust's standard library runs on.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    (ticks.len() == 2).then(|| ticks.iter().sum::<f64>() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_parts_below_their_step() {
        let parts = vec![("starting LocalStack".to_owned(), 9.26)];
        let row = |step: &str, ended, seconds, beside, parts| Row {
            step: step.to_owned(),
            ended,
            seconds,
            cpu_seconds: Some(1.5),
            beside,
            parts,
        };
        let rows = [
            row("tests", Ended::Passed, 81.04, false, Vec::new()),
            row("local-stack", Ended::LeftOut, 301.0, true, parts),
            Row::not_run("browser"),
        ];
        assert_eq!(
            table(&rows, false),
            "tests        passed             81.0 s\n\
             local-stack  left out          301.0 s  beside the others\n\
             browser      not run\n"
        );
        let more = table(&rows, true);
        assert!(more.contains("81.0 s      1.5 CPU s\n"), "{more}");
        assert!(more.contains("beside the others\n                  9.3 s  starting LocalStack\nbrowser"), "{more}");
    }
}
