//! What users of the world in one file rely on.

mod database;
mod mapping;
mod objects;
mod stream;
mod table;
#[path = "../table_laws/mod.rs"]
mod table_laws;
mod topic;

use std::path::Path;

use modstream_platform::PutRecord;
use modstream_platform::sqlite::{Database, Role};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn serve(folder: &Path) -> Database {
    Database::open(folder, Role::Serve).expect("opens")
}

fn record(key: &str, data: &str) -> PutRecord {
    PutRecord { partition_key: key.to_owned(), data: data.as_bytes().to_vec() }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}
