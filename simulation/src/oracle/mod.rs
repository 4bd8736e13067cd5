//! What must hold after any run.
//!
//! The oracle reads JSON as it lies in the bucket, in the table's items and on the streams, and computes for itself what policies, budgets, breakers,
//! quiet hours and sign-in links allow. It asks none of the crates that it checks: a test says so.

mod alerts;
mod breakers;
mod decisions;
mod digests;
mod effects;
mod evidence;
mod items;
mod json;
mod lifecycle;
mod policy;
mod sign_in;

pub(crate) use evidence::{Evidence, Redriven, Witnessed};

/// What is broken, each as a sentence.
pub(crate) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut broken = evidence.redriven.failed.clone();
    broken.extend(evidence.audit().broken_in_scoring());
    broken.extend(alerts::broken(evidence));
    broken.extend(items::broken(evidence));
    broken.extend(lifecycle::broken(evidence));
    broken.extend(breakers::broken(evidence));
    broken.extend(effects::broken(evidence));
    broken.extend(digests::broken(evidence));
    broken.extend(decisions::broken(evidence));
    broken.extend(sign_in::broken(evidence));
    broken.extend(evidence.written_once());
    broken
}

#[cfg(test)]
mod tests {
    /// The crates of the workspace that the oracle uses: the contract, the scenario kit, and the memory world.
    const USED: [&str; 3] = ["modstream_events", "modstream_platform", "modstream_tests"];
    /// The modules of the simulation that it takes data from.
    const TAKES_FROM: [&str; 6] = ["facts", "faults", "moderators", "plan", "world", "oracle"];

    #[test]
    fn the_oracle_asks_no_crate_that_it_checks() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let metadata = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let crates =
            metadata.lines().filter_map(|line| line.split(['.', ' ']).next()).map(|name| name.replace('-', "_"));
        let checked: Vec<String> = crates
            .filter(|name| name.starts_with("modstream_") || name.contains("_alerts") || name.contains("_comments"))
            .chain(["kinesis_batch", "show_desk", "take_decisions"].map(str::to_owned))
            .filter(|name| !USED.contains(&name.as_str()))
            .collect();
        assert!(checked.iter().any(|name| name == "modstream_policy"), "{checked:?}");
        for file in std::fs::read_dir(folder.join("src/oracle")).expect("the folder is there") {
            let path = file.expect("an entry").path();
            let source = std::fs::read_to_string(&path).expect("a text");
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            let words = source.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
            let asked: Vec<&str> = words.filter(|word| checked.iter().any(|name| name == word)).collect();
            assert!(asked.is_empty(), "{}: {asked:?}", path.display());
            let modules = source.split("crate::").skip(1).filter_map(|rest| rest.split([':', ';']).next());
            for module in modules {
                assert!(TAKES_FROM.contains(&module), "{}: crate::{module}", path.display());
            }
        }
    }
}
