use sha2::{Digest as _, Sha256};

/// The bits of a filter for each text that it holds.
const BITS_A_TEXT: usize = 10;
/// How many bits each text sets.
const BITS_SET: u64 = 7;
/// The fewest bytes of a filter.
const LEAST_BYTES: usize = 64;

/// The texts that a model was trained on, as a Bloom filter (B. Bloom, "Space/time trade-offs in hash coding with allowable errors",
/// 1970): asked for one of them it always says yes, for another one in about 1 of 100 cases. No text can be read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTexts(Vec<u8>);

impl SeenTexts {
    /// A filter of these texts.
    pub fn of<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> Self {
        let bytes = (texts.len() * BITS_A_TEXT).div_ceil(8).max(LEAST_BYTES);
        let mut filter = SeenTexts(vec![0; bytes]);
        for text in texts {
            for bit in filter.bits(text) {
                filter.0[bit / 8] |= 1 << (bit % 8);
            }
        }
        filter
    }

    /// The filter with these bytes; none where there are none.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (!bytes.is_empty()).then_some(SeenTexts(bytes))
    }

    /// The filter's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether a text is probably one of them, in whatever case, and with white space around it or not.
    pub fn holds(&self, text: &str) -> bool {
        self.bits(text).all(|bit| self.0[bit / 8] & (1 << (bit % 8)) != 0)
    }

    /// The bits of a text (A. Kirsch and M. Mitzenmacher, "Less Hashing, Same Performance", 2006).
    fn bits(&self, text: &str) -> impl Iterator<Item = usize> + use<> {
        let digest = Sha256::digest(text.trim().to_lowercase());
        let part =
            |from: usize| digest[from..from + 8].iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let (first, step) = (part(0), part(8) | 1);
        let count = self.0.len() as u64 * 8;
        (0..BITS_SET).map(move |index| (first.wrapping_add(index.wrapping_mul(step)) % count) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_seen_is_held_and_hardly_anything_else() {
        let texts: Vec<String> = (0..5_000).map(|number| format!("Comment {number} about it")).collect();
        let filter = SeenTexts::of(texts.iter().map(String::as_str));
        assert_eq!(filter.as_bytes().len(), 6_250);
        assert!(texts.iter().all(|text| filter.holds(&format!(" {}\n", text.to_uppercase()))));
        let wrong = (5_000..15_000).filter(|number| filter.holds(&format!("Comment {number} about it"))).count();
        assert!((30..180).contains(&wrong), "{wrong} of 10,000");
        assert_eq!(SeenTexts::from_bytes(Vec::new()), None);
    }

    proptest! {
        #[test]
        fn every_text_is_held(texts in prop::collection::vec(".{0,30}", 0..40)) {
            let filter = SeenTexts::of(texts.iter().map(String::as_str));
            let again = SeenTexts::from_bytes(filter.as_bytes().to_vec()).expect("bytes");
            prop_assert!(texts.iter().all(|text| again.holds(text)));
        }
    }
}
