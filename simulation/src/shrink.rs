//! The smallest plan that still fails.

use std::time::Duration;

use crate::plan::{Plan, Settings};

/// Leaves out of a plan that `fails` what it can fail without, and sets its settings to the plainest it fails with.
pub fn shrink(plan: &Plan, fails: impl Fn(&Plan) -> bool) -> Plan {
    let mut smallest = plan.clone();
    loop {
        let before = smallest.clone();
        smallest = fewer_incidents(smallest, &fails);
        smallest = plainer_settings(smallest, &fails);
        if smallest == before {
            return smallest;
        }
    }
}

/// Zeller's delta debugging: halves first, then ever smaller parts
/// ([Simplifying and Isolating Failure-Inducing Input](https://doi.org/10.1109/32.988498), 2002).
fn fewer_incidents(mut plan: Plan, fails: &impl Fn(&Plan) -> bool) -> Plan {
    let mut part = plan.incidents.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        while from < plan.incidents.len() {
            let mut without = plan.clone();
            without.incidents.drain(from..(from + part).min(plan.incidents.len()));
            if fails(&without) {
                plan = without;
            } else {
                from += part;
            }
        }
        part = if part == 1 { 0 } else { part.div_ceil(2) };
    }
    plan
}

fn plainer_settings(mut plan: Plan, fails: &impl Fn(&Plan) -> bool) -> Plan {
    let plainer: [fn(&mut Settings); 8] = [
        |settings| settings.document = None,
        |settings| settings.shards = 1,
        |settings| settings.parallelization_factor = 1,
        |settings| settings.batching_window = Duration::ZERO,
        |settings| settings.max_retry_attempts = None,
        |settings| settings.max_record_age = Duration::from_secs(3_600),
        |settings| settings.bisect = false,
        |settings| settings.batch_size = 100,
    ];
    for change in plainer {
        let mut changed = plan.clone();
        change(&mut changed.settings);
        if changed != plan && fails(&changed) {
            plan = changed;
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Function, Incident};

    #[test]
    fn what_matters_is_left_and_nothing_else() {
        let plan = Plan::of_seed(7);
        let is_third = |incident: &&Incident| matches!(incident, Incident::Comment { number: 3, .. });
        let crash = Incident::Crash { function: Function::Score, step: 9 };
        let incidents = [plan.incidents.clone(), plan.incidents.clone(), plan.incidents.clone()].concat();
        let mut plan = Plan { incidents, ..plan };
        plan.incidents.push(crash.clone());
        plan.incidents.push(Incident::Comment { at: Duration::ZERO, number: 3 });
        let fails = |plan: &Plan| {
            plan.settings.batch_size > 3
                && plan.incidents.contains(&crash)
                && plan.incidents.iter().any(|it| is_third(&it))
        };
        let smallest = shrink(&plan, fails);
        assert_eq!(smallest.incidents.len(), 2);
        assert_eq!((smallest.settings.shards, smallest.settings.batch_size), (1, 100));
    }
}
