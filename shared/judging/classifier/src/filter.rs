//! A bitmap in front of a table: most n-grams of a text are in no vocabulary, and this says so without leaving the cache.

/// A Bloom filter with one bit a key (B. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970).
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    bits: Box<[u64]>,
    shift: u32,
}

/// Bits a key: one foreign key in sixteen passes.
const BITS: usize = 16;
/// At least this many bits, as a power of two.
const LEAST: u32 = 6;
/// At most so many: half a megabyte still fits a core's own cache.
const MOST: u32 = 22;

impl Filter {
    /// A filter that lets these keys pass, and few others. A key's high bits must be spread well.
    pub(crate) fn new(keys: impl ExactSizeIterator<Item = u64>) -> Self {
        let log = (keys.len() * BITS).next_power_of_two().ilog2().clamp(LEAST, MOST);
        let mut filter = Filter { bits: vec![0; 1 << (log - 6)].into(), shift: u64::BITS - log };
        for key in keys {
            let bit = key >> filter.shift;
            filter.bits[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        filter
    }

    /// `false`: it is none of the keys.
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
