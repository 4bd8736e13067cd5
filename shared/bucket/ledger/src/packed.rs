//! Events as items hold them: compressed where that makes them smaller, since a write costs by the kilobyte.

use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// What alerts and decisions have in common, and compression need not say again: an alert of 1,700 bytes takes 1,000 without it
/// and 600 with it. Made by `zstd --train --maxdict=16384 --dictID=2` of events about the sample comments, with ids, models, labels
/// and links of many kinds. A dictionary never changes, since what was compressed with it needs it: another one gets another
/// number, which stands in what is compressed.
const DICTIONARY: &[u8] = include_bytes!("packed-2.dictionary");
/// The one before, from when alerts had no labels: what was compressed with it is read.
const DICTIONARY_1: &[u8] = include_bytes!("packed-1.dictionary");
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
    static DECODERS: LazyLock<[DecoderDictionary<'static>; 2]> =
        LazyLock::new(|| [DICTIONARY_1, DICTIONARY].map(DecoderDictionary::copy));
    if !packed.starts_with(&MAGIC) {
        return Ok(packed.to_vec());
    }
    let [first, second] = &*DECODERS;
    let dictionary = match zstd::zstd_safe::get_dict_id_from_frame(packed) {
        Some(number) if number.get() == 1 => first,
        _ => second,
    };
    let decompressed = Decompressor::with_prepared_dictionary(dictionary)
        .and_then(|mut decompressor| decompressor.decompress(packed, MAX_BYTES));
    decompressed.map_err(|error| Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_packed_with_the_first_dictionary_is_unpacked() {
        let event = br#"{"specversion":"1.0","type":"modstream.alert.v1","data":{"comment":{"body":"text"}}}"#;
        let packed =
            Compressor::with_dictionary(LEVEL, DICTIONARY_1).expect("a compressor").compress(event).expect("bytes");
        assert_eq!(unpack(&packed).expect("it is whole"), event);
        assert_ne!(pack(event), packed);
    }

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
