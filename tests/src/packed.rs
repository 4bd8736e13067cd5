//! What items hold of events, unpacked by zstd itself: by nothing of the ledger's.

use std::sync::LazyLock;

use modstream_platform::table::Item;
use zstd::bulk::Decompressor;
use zstd::dict::DecoderDictionary;

const DICTIONARY: &[u8] = include_bytes!("../../shared/bucket/ledger/src/packed-2.dictionary");
/// What zstd begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Larger than all that is packed.
const MAX_BYTES: usize = 8 << 20;

/// The event that an item holds in an attribute; nothing where it holds none, or it is damaged.
pub fn unpacked(item: &Item, attribute: &str) -> Vec<u8> {
    static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));
    let Some(bytes) = item.bytes(attribute) else { return Vec::new() };
    if !bytes.starts_with(&MAGIC) {
        return bytes.to_vec();
    }
    let unpacked =
        Decompressor::with_prepared_dictionary(&DECODER).and_then(|mut unpacker| unpacker.decompress(bytes, MAX_BYTES));
    unpacked.unwrap_or_default()
}
