//! The shipped model, damaged: bits and lengths all over its files, as many as take a second. Of a tiny model the crate's own
//! tests try every one.

use std::path::Path;

use modstream_classifier::artifact::{CARD, MANIFEST, ModelFiles, TENSORS};

/// Primes, so that every bit of a byte and every place of an array comes up.
const EVERY_BIT: usize = 3_989;
const EVERY_LENGTH: usize = 499;

#[test]
fn a_bit_or_an_end_that_the_shipped_model_lacks_is_noticed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models/rscience");
    let good = [MANIFEST, TENSORS, CARD].map(|name| std::fs::read(folder.join(name)).expect("reads"));
    let loads = |changed: usize, bytes: &[u8]| {
        let file = |index: usize| if index == changed { bytes.to_vec() } else { good[index].clone() };
        ModelFiles::new(file(0), vec![(TENSORS.to_owned(), file(1)), (CARD.to_owned(), file(2))]).load().is_ok()
    };
    for (file, bytes) in good.iter().enumerate() {
        assert!(loads(file, bytes), "the shipped model loads");
        for bit in (0..bytes.len() * 8).step_by(EVERY_BIT) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!loads(file, &flipped), "file {file}, bit {bit}");
        }
        for length in (0..bytes.len()).step_by(EVERY_LENGTH).chain([bytes.len() - 1]) {
            assert!(!loads(file, &bytes[..length]), "file {file}, {length} bytes");
        }
    }
}
