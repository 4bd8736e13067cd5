//! The files of `fixtures/`: events of every version that there ever was, as they were written. They are kept for ever.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use modstream_events::{Event, Versioned, readable_types};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::types::for_each_type;

/// The SHA-256 of each fixture, as `sha256sum` writes and checks them.
const CHECKSUMS: &str = "SHA256SUMS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8")).collect()
}

/// The paths of all fixtures, such as `modstream.alert.v1/whole.json`.
fn fixtures() -> BTreeSet<String> {
    let folder = folder();
    let mut types = names_in(&folder);
    assert!(types.remove(CHECKSUMS), "fixtures/{CHECKSUMS} is missing");
    types
        .iter()
        .flat_map(|kind| names_in(&folder.join(kind)).into_iter().map(move |name| format!("{kind}/{name}")))
        .collect()
}

fn reads_the_fixtures_of_each_version<T: Versioned<'static> + Serialize>() {
    for kind in readable_types::<T>() {
        let folder = folder().join(kind);
        let names = names_in(&folder);
        assert!(!names.is_empty(), "fixtures/{kind} has no fixture");
        for name in names {
            let fixture: &[u8] = fs::read(folder.join(&name)).expect("it can be read").leak();
            let event = Event::<T>::decode(fixture).unwrap_or_else(|bad| panic!("fixtures/{kind}/{name}: {bad}"));
            if kind == T::TYPE {
                let [read, written]: [Value; 2] =
                    [fixture, &event.encode()].map(|bytes| serde_json::from_slice(bytes).expect("JSON"));
                assert_eq!(written, read, "fixtures/{kind}/{name} is not what is written again");
            }
        }
    }
}

#[test]
fn every_fixture_of_every_version_is_readable_and_every_version_has_one() {
    for_each_type!(reads_the_fixtures_of_each_version());
}

fn add_the_readable_types<T: Versioned<'static>>(types: &mut BTreeSet<&'static str>) {
    types.extend(readable_types::<T>());
}

#[test]
fn no_version_that_has_fixtures_has_lost_its_reader() {
    let mut types = BTreeSet::new();
    for_each_type!(add_the_readable_types(&mut types));
    let unreadable: Vec<String> = fixtures()
        .into_iter()
        .filter(|path| !path.split('/').next().is_some_and(|kind| types.contains(kind)))
        .collect();
    assert!(unreadable.is_empty(), "nothing reads {unreadable:?}");
}

#[test]
fn each_version_follows_the_one_before_it() {
    let mut types = BTreeSet::new();
    for_each_type!(add_the_readable_types(&mut types));
    for kind in &types {
        let (family, version) = kind.rsplit_once(".v").expect("a type names its version");
        let version: u32 = version.parse().expect("a number");
        for earlier in 1..version {
            assert!(
                types.contains(format!("{family}.v{earlier}").as_str()),
                "{kind} is read, version {earlier} is not"
            );
        }
    }
}

/// A line such as `<64 hex digits>  modstream.alert.v1/whole.json`.
fn checksum_line(path: &str) -> String {
    let bytes = fs::read(folder().join(path)).unwrap_or_else(|error| panic!("fixtures/{path}: {error}"));
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}  {path}")
}

#[test]
fn no_fixture_was_changed_or_taken_away() {
    let listed = fs::read_to_string(folder().join(CHECKSUMS)).expect("the list can be read");
    for line in listed.lines() {
        let (_, path) = line.split_once("  ").expect("a checksum and a path");
        assert_eq!(checksum_line(path), line, "events that look like this one exist: put it back");
    }
    for path in fixtures() {
        let line = checksum_line(&path);
        assert!(listed.lines().any(|known| known == line), "a new fixture, add it to fixtures/{CHECKSUMS}:\n{line}");
    }
}
