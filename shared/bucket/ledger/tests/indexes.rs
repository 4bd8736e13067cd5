//! The table that Terraform makes has the indexes that the code asks.

use std::path::Path;

use modstream_ledger::SCHEMA;
use modstream_platform::table::{EXPIRES, Index, PARTITION, Projection, SORT};

/// What `infra/indexes.json` must hold.
fn wanted() -> String {
    let index = |Index { name, partition, sort, projection }: &Index| {
        let Projection::Only(held) = projection else { panic!("infra/table.tf makes no index of whole items: {name}") };
        // When an item expires is in every index.
        let mut held = [held, &[EXPIRES][..]].concat();
        held.sort_unstable();
        let held = held.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        format!(
            "  \"{name}\": {{\n    \"partition\": \"{partition}\",\n    \"sort\": \"{sort}\",\n    \"holds\": [{held}]\n  }}"
        )
    };
    format!("{{\n{}\n}}\n", SCHEMA.indexes.iter().map(index).collect::<Vec<_>>().join(",\n"))
}

fn infra(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../infra").join(name)
}

#[test]
fn terraform_makes_the_indexes_that_the_code_asks() {
    let (file, wanted) = (infra("indexes.json"), wanted());
    if std::env::var_os("MODSTREAM_UPDATE").is_some() {
        std::fs::write(&file, &wanted).expect("it can be written");
    }
    let found = std::fs::read_to_string(&file).expect("it can be read");
    assert_eq!(
        found, wanted,
        "the code's indexes are others: if that is meant, MODSTREAM_UPDATE=1 cargo test -p modstream-ledger --test indexes \
         writes infra/indexes.json anew"
    );
    let json: serde_json::Value = serde_json::from_str(&found).expect("JSON");
    assert_eq!(json.as_object().expect("indexes by name").len(), SCHEMA.indexes.len());
}

#[test]
fn terraform_names_the_tables_own_attributes_as_the_code_does() {
    let table = std::fs::read_to_string(infra("table.tf")).expect("it can be read");
    for (setting, name) in [("hash_key ", PARTITION), ("range_key ", SORT), ("attribute_name", EXPIRES)] {
        let says = |line: &str| {
            let value = line.trim().strip_prefix(setting.trim()).map(str::trim_start);
            value == Some(&format!("= \"{name}\""))
        };
        assert!(table.lines().any(says), "infra/table.tf does not say {setting}= \"{name}\"");
    }
}
