//! Files that follow from the types.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// Asserts that `file`, named from the crate's folder, holds `made`; with `MODSTREAM_UPDATE=1` writes it.
pub(crate) fn check(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("MODSTREAM_UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, made).expect("the file can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "events/{file} is not what the types give. If the change is meant, run\n    \
         MODSTREAM_UPDATE=1 cargo test -p modstream-events --features schema\nand look at the difference."
    );
}

/// JSON as these files hold it.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("serialises") + "\n"
}
