//! The committed corpora through the checks.

use std::fs;
use std::path::Path;

use modstream_fuzz_checks::{artifact, record, text};

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        // The test's output names the last one where a check panics.
        println!("{}", path.display());
        check(&fs::read(&path).expect("reads"));
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", folder.display());
}

#[test]
fn artifacts() {
    replay("artifact", artifact);
}

#[test]
fn records() {
    replay("record", record);
}

#[test]
fn texts() {
    replay("text", text);
}
