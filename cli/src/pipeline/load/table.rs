//! What a load shows.

use plain_text::{counted, noun_of};
use std::time::Duration;

use console::style;
use serde_json::{Value, json};

use super::args::LoadArgs;
use super::latency::{Latency, Share};
use super::measured::LoadOutcome;
use crate::common::display::short_version;
use crate::pipeline::screen::Plan;
use crate::pipeline::system::Function;

pub(crate) fn heading(args: &LoadArgs, plan: &Plan) -> String {
    let (version, rate) = (short_version(&plan.model.version), args.rate.to_string());
    format!(
        "{rate} {} a second for {} s; model {} version {version}; {}\n\n",
        noun_of(rate.parse::<u64>().unwrap_or_default(), "comment"),
        args.seconds,
        plan.model.name,
        plan.alerts_when()
    )
}

/// Says which rate was asked for, and which was reached.
pub(crate) fn not_sustained(args: &LoadArgs, asked: u64, outcome: &LoadOutcome) -> String {
    let measured = &outcome.measured;
    let missing = asked.saturating_sub(measured.predictions + outcome.quarantined as u64);
    let rest = match missing {
        0 => format!("the last prediction came {} after its comment was due", seconds(measured.behind)),
        missing => format!("{missing} of {} had no prediction when the wait was over", counted(asked, "comment")),
    };
    format!(
        "the rate is not sustained: {} a second were asked for, {:.0} were reached, and {rest}",
        args.rate, measured.reached
    )
}

pub(crate) fn text(outcome: &LoadOutcome, functions: &[Function]) -> String {
    let LoadOutcome { comments, quarantined, alerts, measured, took, cpu, .. } = outcome;
    let mut text = String::new();
    if outcome.is_interrupted {
        text += "stopped early; what was on the stream by then was taken all the way\n";
    }
    text += &format!(
        "{}, {}, {quarantined} quarantined, {} in {}\n",
        counted(*comments, "comment"),
        counted(measured.predictions, "prediction"),
        counted(*alerts, "alert"),
        seconds(*took)
    );
    text += &format!("reached {:.0} a second", measured.reached);
    if let Some(cpu) = cpu {
        text += &format!(", with {:.2} of a core in this process", cpu.as_secs_f64() / took.as_secs_f64());
    }
    text += &format!("\n\n{:28}", "from when a comment is due");
    for share in Share::ALL {
        text += &format!("{:>10}", share.name());
    }
    text += &latency("to its prediction", &measured.to_prediction);
    text += &latency("to its alert", &measured.to_alert);
    text += "\n";
    if !functions.is_empty() {
        text += &format!("\n{:28}{:>10}{:>10}{:>10}{:>12}\n", "batches", "count", "mean", "largest", "saturation");
        for Function { name, shards, seen } in functions {
            let saturation = seen.saturation(*shards, *took) * 100.0;
            let (count, mean, largest) = (seen.count, seen.mean(), seen.largest);
            text += &format!("{name:28}{count:>10}{mean:>10.1}{largest:>10}{saturation:>10.1} %\n");
        }
    }
    text += "\n";
    if outcome.wrong.is_empty() {
        text += &format!("{}\n", style("the rate is sustained; nothing lost, nothing doubled").green());
    }
    for wrong in &outcome.wrong {
        text += &format!("{} {wrong}\n", style("failed:").red().bold());
    }
    text
}

pub(crate) fn json(args: &LoadArgs, plan: &Plan, outcome: &LoadOutcome, functions: &[Function]) -> Value {
    let LoadOutcome { comments, quarantined, alerts, measured, took, cpu, is_sustained, is_interrupted, wrong } =
        outcome;
    let functions = functions.iter().map(|it| (it.name.to_owned(), it.seen.json(it.shards, *took)));
    let mut line = json!({
        "asked": { "rate": args.rate, "seconds": args.seconds, "comments": plan.schedule.comments },
        "comments": comments,
        "predictions": measured.predictions,
        "quarantined": quarantined,
        "alerts": alerts,
        "rate": (measured.reached * 10.0).round() / 10.0,
        "sustained": is_sustained,
        "behind_ms": measured.behind.as_millis() as u64,
        "latency_ms": { "prediction": measured.to_prediction.json(), "alert": measured.to_alert.json() },
        "functions": Value::Object(functions.collect()),
        "seconds": took.as_secs_f64(),
        "cpu_seconds": cpu.map(|cpu| cpu.as_secs_f64()),
        "policy": plan.condition,
        "model": { "name": plan.model.name, "version": plan.model.version },
        "interrupted": is_interrupted,
    });
    if !wrong.is_empty() {
        line["error"] = wrong.join("; ").into();
    }
    line
}

fn latency(name: &str, latency: &Latency) -> String {
    let mut line = format!("\n{name:28}");
    for share in Share::ALL {
        let at = match latency.at(share) {
            None => "-".to_owned(),
            Some(at) if at >= Duration::from_secs(10) => seconds(at),
            Some(at) => format!("{:.1} ms", at.as_secs_f64() * 1e3),
        };
        line += &format!("{at:>10}");
    }
    line
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
