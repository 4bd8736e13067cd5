//! What else tells kept from removed comments: length, questions, layout. Each measure is a number of the whole text.
//!
//! Many measure nearly the same, so an explanation shows them as one: the text's form.

use std::sync::LazyLock;

use crate::scan::Counts;

/// How many measures there are.
pub const MEASURES: usize = 31;

/// The measures of one aspect of a text's form, by index, in the order of [`ASPECTS`].
const MEMBERS: [std::ops::Range<usize>; 9] = [0..8, 8..12, 12..14, 14..15, 15..16, 16..19, 19..20, 20..24, 24..31];

/// What a text's form has, in words with their numbers. What it does not have, such as a question mark, is not said: it is
/// missing in most texts, and so tells one from another least.
const ASPECTS: [fn(&Counts) -> Option<String>; 9] = [
    |counts| counted(counts.chars, "character"),
    |counts| match (counts.words, counts.long_words) {
        (0, _) => None,
        (_, 0) => Some(format!("words of {:.1} letters", counts.word_chars as f64 / counts.words as f64)),
        (_, long) => counted(long, "long word"),
    },
    |counts| counted(counts.question_marks, "question mark"),
    |counts| counted(counts.exclamation_marks, "exclamation mark"),
    |counts| counted(counts.links, "link"),
    |counts| match (counts.shouted_words, counts.capitals, counts.letters) {
        (0, 0, _) | (_, _, 0) => None,
        (0, capitals, letters) => Some(format!("{:.0}\u{a0}% capitals", 100.0 * capitals as f64 / letters as f64)),
        (shouted, _, _) => counted(shouted, "word").map(|words| format!("{words} in capitals")),
    },
    |counts| counted(counts.digits, "digit"),
    |counts| match (counts.paragraph_breaks, counts.quoted_lines) {
        (0, quoted) => counted(quoted, "quoted line"),
        (breaks, _) => counted(breaks + 1, "paragraph"),
    },
    |counts| {
        counted(counts.quotation_marks, "quotation mark")
            .or_else(|| counted(counts.parentheses, "parenthesis"))
            .or_else(|| counted(counts.ellipses, "ellipsis"))
    },
];

/// How many aspects of a text's form are said.
const SAID_ASPECTS: usize = 2;

fn counted(count: usize, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(match what.strip_suffix("is") {
            Some(stem) => format!("{count} {stem}es"),
            None => format!("{count} {what}s"),
        }),
    }
}

/// A text's form in words: of what it has, what moved the score most. `moved` says by how much a measure did.
pub(crate) fn form(counts: &Counts, moved: impl Fn(usize) -> f64) -> String {
    let mut aspects: [(f64, usize); ASPECTS.len()] =
        std::array::from_fn(|aspect| (MEMBERS[aspect].clone().map(&moved).sum::<f64>().abs(), aspect));
    // A stable sort: of what moved it alike, what comes first above.
    aspects.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let said = aspects.into_iter().filter_map(|(_, aspect)| ASPECTS[aspect](counts));
    let said: Vec<String> = said.take(SAID_ASPECTS).collect();
    if said.is_empty() { "no character".to_owned() } else { said.join(", ") }
}

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
        // Length
        log(chars),
        (chars as f32).sqrt(),
        log(words),
        log(counts.sentences),
        share(words, counts.sentences),
        is(chars < 50),
        is(chars < 20),
        log(counts.line_breaks),
        // Long words
        share(counts.word_chars, words),
        log(counts.longest_word),
        log(counts.long_words),
        share(counts.long_words, words),
        // Questions
        log(counts.question_marks),
        is(counts.last == Some('?')),
        // Exclamations
        log(counts.exclamation_marks),
        // Links
        log(counts.links),
        // Capitals
        share(counts.capitals, counts.letters),
        log(counts.shouted_words),
        is(counts.first.is_some_and(char::is_lowercase)),
        // Digits
        log(counts.digits),
        // Layout
        log(counts.paragraph_breaks),
        log(counts.quoted_lines),
        log(counts.asterisks),
        log(counts.brackets),
        // Quotations, asides and other punctuation
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
    fn every_measure_is_of_one_aspect() {
        let mut members: Vec<usize> = MEMBERS.iter().flat_map(Clone::clone).collect();
        members.sort_unstable();
        assert_eq!(members, (0..MEASURES).collect::<Vec<_>>());
    }

    #[test]
    fn a_form_is_said_by_what_the_text_has_and_what_moved_the_score_most() {
        let said = |text: &str, strongest: &[usize]| {
            let mut scan = crate::scan::Scan::default();
            scan.read(text);
            form(&scan.counts, |measure| {
                strongest.iter().position(|&strong| strong == measure).map_or(0.0, |at| 1.0 / (at + 1) as f64)
            })
        };
        // No question mark moved it most, and is not said.
        assert_eq!(said("Is that so. Yes!", &[12, 14, 0]), "1 exclamation mark, 16 characters");
        assert_eq!(said("STOP IT NOW", &[16, 8]), "3 words in capitals, words of 3.0 letters");
        assert_eq!(said("Odd: \"one\" (two) 33", &[24, 19]), "2 quotation marks, 2 digits");
        assert_eq!(said("One.\n\nTwo\n\nhttps://example.org/", &[20, 15]), "3 paragraphs, 1 link");
        assert_eq!(said("(a) (b)", &[24, 0]), "2 parentheses, 7 characters");
        assert_eq!(said("", &[0]), "no character");
        assert_eq!(said("?", &[0]), "1 character, 1 question mark");
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
