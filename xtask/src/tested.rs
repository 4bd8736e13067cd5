//! The workspace as its tests build it: once, by Clippy's driver, for everything that runs the tests' programs.

use crate::cargo::{Programs, TELLS_PROGRAMS};
use crate::{cargo, command};

/// Which packages and features the tests are built of. Whatever else takes this selection finds everything built.
pub(crate) const SELECTION: [&str; 2] = ["--workspace", "--all-features"];

/// Cargo has Clippy's driver compile the workspace's crates, as `cargo clippy` does, but to programs: nothing is compiled once
/// to be checked and again to be run. Cargo keeps what it compiles so apart from what rustc itself compiles.
pub(crate) const ENVIRONMENT: [(&str, &str); 2] = [
    ("RUSTC_WORKSPACE_WRAPPER", "clippy-driver"),
    // `cargo clippy -- -D warnings`, in the form in which it tells its driver.
    ("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__"),
];

/// Builds every program that the tests run, with cargo's diagnostics on our standard error, and fails on a warning.
pub(crate) fn build(options: &[&str]) -> anyhow::Result<Programs> {
    let args = [&["test", "--no-run", "--all-targets", TELLS_PROGRAMS], &SELECTION[..], options].concat();
    let mut cargo = cargo::command(&args);
    let said = command::captured_shown(cargo.envs(ENVIRONMENT))?;
    Ok(Programs::told(&said))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use serde_json::Value;

    use super::*;

    /// The source files of a library or a binary: of a binary beside a library, the one that it starts with.
    fn sources(root: &Path, is_beside_a_library: bool) -> Vec<PathBuf> {
        if is_beside_a_library {
            return vec![root.to_path_buf()];
        }
        let mut files = Vec::new();
        let mut folders = vec![root.parent().expect("a folder").to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    }

    /// Whether a text holds the mark of a test: `#[test]`, `#[tokio::test(...)]`, `proptest!`.
    fn holds_a_test(text: &str) -> bool {
        text.lines().map(str::trim_start).any(|line| {
            let attribute = line.strip_prefix("#[").and_then(|line| line.split(['(', ']']).next());
            attribute.is_some_and(|name| name == "test" || name.ends_with("::test")) || line.starts_with("proptest!")
        })
    }

    #[test]
    fn no_target_that_is_not_tested_holds_a_test() {
        let metadata = cargo::output(&["metadata", "--no-deps", "--format-version", "1"]).expect("metadata");
        let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
        let mut untested = 0;
        for package in metadata["packages"].as_array().expect("packages") {
            let targets = package["targets"].as_array().expect("targets");
            let is = |target: &Value, kind: &str| target["kind"][0] == kind;
            let has_a_library = targets.iter().any(|target| is(target, "lib"));
            for target in targets.iter().filter(|target| target["test"] == false) {
                if !is(target, "lib") && !is(target, "bin") {
                    continue;
                }
                untested += 1;
                let root = Path::new(target["src_path"].as_str().expect("a path"));
                for file in sources(root, is(target, "bin") && has_a_library) {
                    let text = fs::read_to_string(&file).expect("text");
                    assert!(
                        !holds_a_test(&text),
                        "{} holds a test, and its target says `test = false`, so it would never be run",
                        file.display()
                    );
                }
            }
        }
        assert!(untested > 10, "targets without tests are built for nothing: {untested}");
    }

    #[test]
    fn tests_are_known_by_their_marks() {
        for text in ["#[test]\nfn a() {}", "  #[tokio::test(start_paused = true)]", "proptest! {", "    #[tokio::test]"]
        {
            assert!(holds_a_test(text), "{text}");
        }
        for text in ["#[cfg(test)]\nmod tests;", "//! #[test]", "#[ignore]", "let test = 1;"] {
            assert!(!holds_a_test(text), "{text}");
        }
    }
}
