//! Events as items hold them: compressed where that makes them smaller, since a write costs by the kilobyte.

use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// What alerts and decisions have in common, and compression need not say again: an alert of 1,700 bytes takes 1,000 without it
/// and 570 with it. Made by `zstd --train --maxdict=4096 --dictID=1` of events about the sample comments. It never changes, since
/// what was compressed with it needs it: another one would get another number, which stands in what is compressed.
const DICTIONARY: &[u8] = include_bytes!("packed.dictionary");
/// What zstd begins with, and JSON does not.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Higher levels save some bytes in a hundred, and take several times as long.
const LEVEL: i32 = 9;
/// The most bytes of an event: more than a record of a stream holds.
const MAX_BYTES: usize = 4 << 20;

/// Bytes that hold no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not compressed as items are: {0}")]
pub struct Damaged(String);

/// An event as an item holds it.
pub fn pack(event: &[u8]) -> Vec<u8> {
    static ENCODER: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
    let compressed =
        Compressor::with_prepared_dictionary(&ENCODER).and_then(|mut compressor| compressor.compress(event));
    compressed.ok().filter(|compressed| compressed.len() < event.len()).unwrap_or_else(|| event.to_vec())
}

/// The event that an item holds.
///
/// # Errors
/// Where the bytes are damaged.
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, Damaged> {
    static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));
    if !packed.starts_with(&MAGIC) {
        return Ok(packed.to_vec());
    }
    let decompressed = Decompressor::with_prepared_dictionary(&DECODER)
        .and_then(|mut decompressor| decompressor.decompress(packed, MAX_BYTES));
    decompressed.map_err(|error| Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_what_is_unpacked(event in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300).prop_filter("JSON", |bytes| !bytes.starts_with(&MAGIC)),
            "\\{\"data\":\\{\"comment\":\\{\"body\":\".{0,300}\"\\}\\}\\}".prop_map(String::into_bytes),
        ]) {
            let packed = pack(&event);
            prop_assert!(packed.len() <= event.len());
            prop_assert_eq!(unpack(&packed), Ok(event));
        }

        #[test]
        fn damage_is_told_or_makes_another_event_and_never_panics(at in 0_usize..400, with in any::<u8>()) {
            let mut packed = pack(&DICTIONARY.repeat(2));
            let at = at % packed.len();
            packed[at] ^= with;
            let _ = unpack(&packed);
        }
    }
}
