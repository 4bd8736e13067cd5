//! What items hold of events, unpacked by zstd itself: by nothing of the ledger's.

use std::path::{Path, PathBuf};

/// What zstd begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Larger than all that is packed.
const MAX_BYTES: usize = 8 << 20;

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What was packed.
///
/// # Panics
/// Where it is damaged.
pub fn unpacked(bytes: &[u8]) -> Vec<u8> {
    if !bytes.starts_with(&MAGIC) {
        return bytes.to_vec();
    }
    let dictionary = std::fs::read(repository("shared/bucket/ledger/src/packed.dictionary")).expect("it is there");
    let mut unpacker = zstd::bulk::Decompressor::with_dictionary(&dictionary).expect("a dictionary");
    unpacker.decompress(bytes, MAX_BYTES).expect("whole")
}
