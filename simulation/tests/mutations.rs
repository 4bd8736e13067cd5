//! The simulation notices what it is there for: each named mutation breaks a promise in some run.
#![cfg(feature = "mutations")]

use modstream_simulation::{Plan, mutations, run};
use named_mutations::with;

/// As many as `cargo xtask simulate --mutate` is asked for.
const PLANS: u64 = 2_000;

#[test]
fn each_mutation_breaks_a_promise_and_without_one_the_same_plans_break_none() {
    for (name, what) in mutations::ALL {
        let failing = (0..PLANS).map(Plan::of_seed).find(|plan| !with(Some(name), || run(plan)).broken.is_empty());
        let plan = failing.unwrap_or_else(|| panic!("{PLANS} plans, and none notices {name}: {what}"));
        println!("{name}: seed {}", plan.seed);
        assert_eq!(run(&plan).broken, [""; 0], "seed {}, without {name}", plan.seed);
    }
}
