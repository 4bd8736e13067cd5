//! What must hold after any run.
//!
//! The oracle reads JSON as it lies in the bucket and on the streams, and computes for itself what policies, budgets, breakers,
//! quiet hours and sign-in links allow. It asks none of the crates that it checks: a test says so.

mod alerts;
mod breakers;
mod decisions;
mod digests;
mod effects;
mod evidence;
mod json;
mod policy;
mod sign_in;

pub(crate) use evidence::{Evidence, Redriven, Witnessed};

/// What is broken, each as a sentence.
pub(crate) fn broken(evidence: &Evidence) -> Vec<String> {
    let mut broken = evidence.redriven.failed.clone();
    broken.extend(evidence.audit().broken_in_scoring());
    broken.extend(alerts::broken(evidence));
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
    /// Its crates are the contract, the scenario kit and what lies below the floors that it checks.
    #[test]
    fn the_oracle_asks_no_crate_that_it_checks() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oracle");
        let allowed = [
            "crate",
            "jiff",
            "modstream_events",
            "modstream_platform",
            "modstream_tests",
            "serde_json",
            "std",
            "super",
            "uuid",
        ];
        for file in std::fs::read_dir(folder).expect("the folder is there") {
            let path = file.expect("an entry").path();
            let source = std::fs::read_to_string(&path).expect("a text");
            let words = source.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':'));
            for root in words.filter_map(|word| word.split_once("::")).map(|(root, _)| root) {
                let is_crate = root.starts_with(|letter: char| letter.is_ascii_lowercase());
                assert!(!is_crate || allowed.contains(&root) || is_local(root), "{}: {root}", path.display());
            }
            let ours = source.split("crate::").skip(1).map(|rest| rest.split([':', ';', ' ', '{']).next());
            for module in ours.flatten() {
                let data = ["faults", "moderators", "world", "lambda", "plan"];
                assert!(data.contains(&module), "{}: crate::{module}", path.display());
            }
        }
    }

    /// Modules of the oracle, and what the standard library's names begin with.
    fn is_local(root: &str) -> bool {
        ["alerts", "breakers", "decisions", "digests", "effects", "evidence", "json", "policy", "sign_in", "f64"]
            .contains(&root)
    }
}
