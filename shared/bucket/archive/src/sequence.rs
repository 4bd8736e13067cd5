use std::cmp::Ordering;

/// The most digits that Kinesis gives a sequence number.
const MAX_DIGITS: usize = 129;

/// Whether this is a sequence number as Kinesis writes it.
pub(crate) fn is_valid(number: &str) -> bool {
    (1..=MAX_DIGITS).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Compares sequence numbers by value. They have up to 129 digits, more than any integer type.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (significant(one), significant(other));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

fn significant(number: &str) -> &str {
    number.trim_start_matches('0')
}

/// A sequence number that sorts by value.
#[derive(Clone, Debug)]
pub(crate) struct Sequence(pub(crate) String);

impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sequence {}
