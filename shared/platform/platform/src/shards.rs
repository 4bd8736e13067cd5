//! What streams have in common, whatever world they are of: which shard a key goes to, what a call may hold, how a record's place
//! is written.

use std::ops::RangeInclusive;

use md5::{Digest, Md5};

use crate::{CallError, CallErrorKind, MAX_KEY_CHARS, MAX_PUT_BYTES, MAX_PUT_RECORDS, MAX_RECORD_BYTES, PutRecord};

pub(crate) fn shard_id(index: usize) -> String {
    format!("shardId-{index:012}")
}

/// A place as it is written: with 56 digits, so that later ones are greater as text, too.
pub(crate) fn sequence_number(number: u128) -> String {
    format!("49{number:054}")
}

pub(crate) fn hash(key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(key.as_bytes()).into())
}

/// Cuts the range of 128-bit numbers into equal parts; the last takes the rest.
pub(crate) fn equal_ranges(count: usize) -> impl Iterator<Item = RangeInclusive<u128>> {
    let parts = count as u128;
    // The width is 2^128 / count, a division of a number that needs one bit more than there is.
    let (width, rest) = (u128::MAX / parts, u128::MAX % parts);
    let width = if rest + 1 == parts { width.saturating_add(1) } else { width };
    (0..parts).map(move |part| {
        let end = if part + 1 == parts { u128::MAX } else { width * (part + 1) - 1 };
        width * part..=end
    })
}

/// Whether a stream takes a call with these records.
pub(crate) fn check(records: &[PutRecord]) -> Result<(), CallError> {
    let invalid = |message: String| {
        Err(CallError { service: "kinesis", operation: "PutRecords", kind: CallErrorKind::Invalid, message })
    };
    if records.is_empty() || records.len() > MAX_PUT_RECORDS {
        return invalid(format!("{} records, a call takes 1 to {MAX_PUT_RECORDS}", records.len()));
    }
    for (position, record) in records.iter().enumerate() {
        let characters = record.partition_key.chars().count();
        if !(1..=MAX_KEY_CHARS).contains(&characters) {
            return invalid(format!(
                "record {position}: a key of {characters} characters, 1 to {MAX_KEY_CHARS} is allowed"
            ));
        }
        let bytes = record.size();
        if bytes > MAX_RECORD_BYTES {
            return invalid(format!("record {position}: {bytes} bytes, a record holds at most {MAX_RECORD_BYTES}"));
        }
    }
    let bytes: usize = records.iter().map(PutRecord::size).sum();
    if bytes > MAX_PUT_BYTES {
        return invalid(format!("{bytes} bytes, a call takes at most {MAX_PUT_BYTES}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_own_equal_ranges_of_hashes() {
        let owner = |hash: u128, shards| equal_ranges(shards).position(|range| range.contains(&hash)).unwrap();
        assert_eq!((owner(0, 1), owner(u128::MAX, 1)), (0, 0));
        assert_eq!((owner((1 << 127) - 1, 2), owner(1 << 127, 2), owner(u128::MAX, 2)), (0, 1, 1));
        let third = u128::MAX / 3;
        assert_eq!([third - 1, third, 2 * third - 1, 2 * third, u128::MAX].map(|hash| owner(hash, 3)), [0, 1, 1, 2, 2]);
    }
}
