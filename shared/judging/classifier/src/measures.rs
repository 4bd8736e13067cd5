//! What else tells kept from removed comments: length, questions, layout. Each measure is a number of the whole text.
//!
//! Many measure nearly the same, so an explanation shows them by [`MEASURE_GROUPS`].

use std::sync::LazyLock;

use crate::scan::Counts;

/// How many measures there are.
pub const MEASURES: usize = 31;

/// Measures that an explanation shows as one.
#[derive(Clone, Debug)]
pub struct MeasureGroup {
    /// The group's name where the first member is above its mean.
    pub above: &'static str,
    /// The group's name elsewhere.
    pub below: &'static str,
    /// The measures that belong to the group, by index.
    pub members: std::ops::Range<usize>,
}

const fn group(above: &'static str, below: &'static str, members: std::ops::Range<usize>) -> MeasureGroup {
    MeasureGroup { above, below, members }
}

/// The groups of measures. Their names stand in brackets, to tell them from words of the text.
pub const MEASURE_GROUPS: [MeasureGroup; 9] = [
    group("[long]", "[short]", 0..8),
    group("[long words]", "[short words]", 8..12),
    group("[question]", "[no question]", 12..14),
    group("[exclamation]", "[no exclamation]", 14..15),
    group("[link]", "[no link]", 15..16),
    group("[capitals]", "[few capitals]", 16..19),
    group("[digits]", "[few digits]", 19..20),
    group("[paragraphs]", "[one paragraph]", 20..24),
    group("[quotation or aside]", "[plain punctuation]", 24..31),
];

/// The logarithms of small numbers and one.
static LOGARITHMS: LazyLock<[f32; 512]> = LazyLock::new(|| std::array::from_fn(|count| (count as f32).ln_1p()));

/// The measures of a scanned text, in a fixed order that models rely on.
#[rustfmt::skip]
pub(crate) fn measure(counts: &Counts) -> [f32; MEASURES] {
    let log = |count: usize| LOGARITHMS.get(count).copied().unwrap_or_else(|| (count as f32).ln_1p());
    let share = |part: usize, of: usize| part as f32 / of.max(1) as f32;
    let is = |holds: bool| f32::from(u8::from(holds));
    let Counts { chars, words, .. } = *counts;
    [
        // [long]
        log(chars),
        (chars as f32).sqrt(),
        log(words),
        log(counts.sentences),
        share(words, counts.sentences),
        is(chars < 50),
        is(chars < 20),
        log(counts.line_breaks),
        // [long words]
        share(counts.word_chars, words),
        log(counts.longest_word),
        log(counts.long_words),
        share(counts.long_words, words),
        // [question]
        log(counts.question_marks),
        is(counts.last == Some('?')),
        // [exclamation]
        log(counts.exclamation_marks),
        // [link]
        log(counts.links),
        // [capitals]
        share(counts.capitals, counts.letters),
        log(counts.shouted_words),
        is(counts.first.is_some_and(char::is_lowercase)),
        // [digits]
        log(counts.digits),
        // [paragraphs]
        log(counts.paragraph_breaks),
        log(counts.quoted_lines),
        log(counts.asterisks),
        log(counts.brackets),
        // [quotation or aside]
        log(counts.quotation_marks),
        log(counts.ellipses),
        log(counts.parentheses),
        log(counts.commas),
        log(counts.full_stops),
        log(counts.colons),
        is(counts.last.is_some_and(|last| matches!(last, '.' | '!' | '"' | '\''))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_measure_belongs_to_one_group() {
        let mut members: Vec<usize> = MEASURE_GROUPS.iter().flat_map(|group| group.members.clone()).collect();
        members.sort_unstable();
        assert_eq!(members, (0..MEASURES).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn measures_are_finite_for_any_text(text in ".{0,200}") {
            let mut scan = crate::scan::Scan::default();
            scan.read(&text);
            prop_assert!(measure(&scan.counts).iter().all(|value| value.is_finite()));
        }
    }
}
