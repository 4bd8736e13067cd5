//! The hash of tokens and n-grams. Models store hashes, so it never changes.

/// [FNV-1a](https://datatracker.ietf.org/doc/html/draft-eastlake-fnv), 64 bit, finished with the mixer of MurmurHash3, so that
/// the low bits alone spread well.
#[derive(Clone, Copy)]
pub(crate) struct Hash(u64);

impl Hash {
    /// The hash of no bytes.
    pub(crate) const fn new() -> Self {
        Hash(0xCBF2_9CE4_8422_2325)
    }

    /// Adds a byte.
    #[inline]
    pub(crate) const fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01B3);
    }

    /// Adds bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }

    /// The hash of the bytes that were added.
    #[inline]
    pub(crate) const fn finish(self) -> u64 {
        mix(self.0)
    }
}

/// The hash of an n-gram, from that of the tokens before and that of its last token.
#[inline]
pub(crate) const fn follow(before: u64, token: u64) -> u64 {
    mix(before.rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ token)
}

const fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ (hash >> 33)
}

/// A hasher for a table whose keys are such hashes.
#[derive(Clone, Copy, Default)]
pub(crate) struct AsIs(u64);

impl std::hash::Hasher for AsIs {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are u64");
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_what_they_always_were() {
        let hash = |text: &str| {
            let mut hash = Hash::new();
            hash.bytes(text.as_bytes());
            hash.finish()
        };
        assert_eq!(hash(""), 0xefd0_1f60_ba99_2926);
        assert_eq!(follow(hash("a"), hash("b")), 0x46e2_ad20_3308_7cc7);
        assert_ne!(follow(hash("a"), hash("b")), follow(hash("b"), hash("a")));
    }
}
