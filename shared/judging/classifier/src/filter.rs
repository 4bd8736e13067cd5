//! A bitmap in front of a table: most n-grams of a text are in no vocabulary, and the bitmap says so without leaving
//! the cache.

/// A Bloom filter with one bit a key (B. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970).
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    bits: Box<[u64]>,
    shift: u32,
}

/// How many bits there are a key: one foreign key in sixteen passes.
const BITS_A_KEY: usize = 16;
/// The fewest bits of a filter, as a power of two.
const MIN_BITS: u32 = 6;
/// The most bits of a filter, as a power of two: half a megabyte still fits a core's own cache.
const MAX_BITS: u32 = 22;

impl Filter {
    /// Makes a filter that lets these keys pass, and few others. A key's high bits must be spread well.
    pub(crate) fn new(keys: impl ExactSizeIterator<Item = u64>) -> Self {
        let log = (keys.len() * BITS_A_KEY).next_power_of_two().ilog2().clamp(MIN_BITS, MAX_BITS);
        let mut filter = Filter { bits: vec![0; 1 << (log - 6)].into(), shift: u64::BITS - log };
        for key in keys {
            let bit = key >> filter.shift;
            filter.bits[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        filter
    }

    /// Whether `key` may be one of the keys; `false` is certain.
    #[inline]
    pub(crate) fn may_have(&self, key: u64) -> bool {
        let bit = key >> self.shift;
        self.bits[(bit / 64) as usize] >> (bit % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_pass_and_few_others_do() {
        let key = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for count in [0, 1, 1_000, 100_000] {
            let filter = Filter::new((0..count).map(key).collect::<Vec<_>>().into_iter());
            assert!((0..count).all(|n| filter.may_have(key(n))));
            let others = (count..count + 10_000).filter(|n| filter.may_have(key(*n))).count();
            assert!(others < 1_000, "{others} of 10,000 pass a filter of {count}");
        }
    }
}
