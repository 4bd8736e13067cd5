//! The simulation notices what it is there for: each named mutation breaks a promise in some run.
#![cfg(feature = "mutations")]

use std::collections::BTreeMap;
use std::env::var_os;
use std::fs;

use modstream_simulation::{Plan, mutations, run};
use named_mutations::with;

/// As many as `cargo xtask simulate --mutate` is asked for.
const PLANS: u64 = 2_000;

/// The seeds of plans that noticed a mutation, by its name: these are tried first, since some mutations are noticed late. Where
/// one no longer does, all plans are tried; `MODSTREAM_UPDATE=1` writes anew which noticed.
const FOUND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/found.json");

#[test]
fn each_mutation_breaks_a_promise_and_without_one_the_same_plans_break_none() {
    let before: BTreeMap<String, u64> = serde_json::from_slice(&fs::read(FOUND).expect("a file")).expect("seeds");
    let mut found = BTreeMap::new();
    for (name, what) in mutations::ALL {
        let notices = |seed: &u64| !with(Some(name), || run(&Plan::of_seed(*seed))).broken.is_empty();
        let seed = before.get(name).copied().into_iter().chain(0..PLANS).find(notices);
        let seed = seed.unwrap_or_else(|| panic!("{PLANS} plans, and none notices {name}: {what}"));
        println!("{name}: seed {seed}");
        assert_eq!(run(&Plan::of_seed(seed)).broken, [""; 0], "seed {seed}, without {name}");
        found.insert(name, seed);
    }
    if var_os("MODSTREAM_UPDATE").is_some() {
        let found = serde_json::to_string_pretty(&found).expect("JSON");
        fs::write(FOUND, found + "\n").expect("the file is written");
    }
}
