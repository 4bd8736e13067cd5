//! What the texts were like that a model learned from: of a text of another kind it knows nothing, and is sure of it all the same.

use modstream_events::Outside;
use normal_form::is_unspaced;
use serde::{Deserialize, Serialize};

use crate::known::word_hash;
use crate::scan::{LINK, LONGEST_RUN, Scan, Token};

/// The training texts of a model, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// The characters of a text.
    pub characters: Range,
    /// The words of a text.
    pub words: Range,
    /// The least share of a text's words that are known.
    pub known_words: f64,
}

/// Where nearly all training texts lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The number that one text in 200 is below.
    pub from: usize,
    /// The number that one text in 200 is above.
    pub to: usize,
}

/// What support asks of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// The characters: a run of white space is one, a run of a mark at most three, and a link none.
    pub characters: usize,
    /// The words.
    pub words: usize,
    /// The share of words that are known; none where there are too few to tell.
    pub known_words: Option<f64>,
}

/// The share of training texts that lie below a range, and above it.
const TAIL: f64 = 0.005;
/// The most training texts there: of a kind that a model has seen so often, it knows something, however many others it has seen.
const MOST_IN_TAIL: usize = 50;
/// The fewest characters of which a model can know anything, whatever it has seen.
const LEAST_CHARACTERS: usize = 2;
/// The share of known words that is always enough: among names, slang and typing errors it is seldom less, in a text of another
/// language seldom more.
const ENOUGH_KNOWN: f64 = 1.0 / 3.0;
/// The fewest words whose share says anything.
const LEAST_WORDS: f64 = 3.0;

impl Range {
    fn of(mut numbers: Vec<usize>) -> Self {
        numbers.sort_unstable();
        let skipped = ((numbers.len() as f64 * TAIL) as usize).min(MOST_IN_TAIL);
        let at = |index: usize| numbers.get(index).copied().unwrap_or_default();
        Range { from: at(skipped), to: at(numbers.len().saturating_sub(1 + skipped)) }
    }

    /// The least that is taken for a training text's: a tenth less than nearly all have, since probabilities hold that far.
    fn least(self) -> usize {
        self.from - self.from.div_ceil(10)
    }

    /// The most that is taken for a training text's: a tenth more than nearly all have.
    fn most(self) -> usize {
        self.to.saturating_add(self.to / 10)
    }
}

impl Support {
    /// The support of a model that learned from texts of these sizes.
    pub fn of(sizes: &[Size]) -> Self {
        let mut known: Vec<f64> = sizes.iter().filter_map(|size| size.known_words).collect();
        known.sort_unstable_by(f64::total_cmp);
        let least = known.get((known.len() as f64 * TAIL) as usize).copied().unwrap_or_default();
        Support {
            characters: Range::of(sizes.iter().map(|size| size.characters).collect()),
            words: Range::of(sizes.iter().map(|size| size.words).collect()),
            known_words: least.min(ENOUGH_KNOWN),
        }
    }

    /// How a text of this size differs from the training texts, where it does.
    pub fn outside(&self, size: Size) -> Option<Outside> {
        let Size { characters, words, known_words } = size;
        // It says more than that a text is short: in some languages all are.
        if known_words.is_some_and(|share| share < self.known_words) {
            return Some(Outside::UnknownWords);
        }
        if characters < self.characters.least().max(LEAST_CHARACTERS) || words < self.words.least() {
            return Some(Outside::Shorter);
        }
        if characters > self.characters.most() || words > self.words.most() {
            return Some(Outside::Longer);
        }
        None
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let are_in_order = [self.characters, self.words].iter().all(|range| range.from <= range.to);
        if are_in_order && (0.0..=1.0).contains(&self.known_words) {
            return Ok(());
        }
        Err("its support is no range of characters and words, or its share of known words is no share".to_owned())
    }
}

/// How much a word counts in the share of words that are known, in halves of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Weight(u16);

impl Weight {
    /// What is no word of a language: a single letter, and what has a digit.
    pub(crate) const NONE: Self = Weight(0);
    pub(crate) const ONE: Self = Weight(2);

    /// The weight of a word with this normal form: in a script without spaces, every two letters count as one.
    pub(crate) fn of(form: &[u8]) -> Self {
        if form.len() < 2 || form.iter().any(u8::is_ascii_digit) {
            return Weight::NONE;
        }
        if form.is_ascii() {
            return Weight::ONE;
        }
        let unspaced = std::str::from_utf8(form).map_or(0, |form| form.chars().filter(|c| is_unspaced(*c)).count());
        Weight(u16::try_from(unspaced).unwrap_or(u16::MAX)).max(Weight::ONE)
    }

    fn words(self) -> f64 {
        f64::from(self.0) / 2.0
    }
}

/// The size of a scanned text.
pub(crate) fn size(scan: &Scan, text: &str, is_known: impl Fn(&Token) -> bool) -> Size {
    let link = word_hash(LINK);
    let is_ascii = text.is_ascii();
    let (mut characters, mut known, mut all) = (0, 0.0, 0.0);
    let mut end = None;
    let mut words = scan.words.iter().peekable();
    for (token, index) in scan.tokens.iter().zip(0..) {
        characters += usize::from(end.is_some_and(|end| end < token.start));
        end = Some(token.end);
        let bytes = (token.end - token.start) as usize;
        let length = if is_ascii { bytes } else { text[token.start as usize..token.end as usize].chars().count() };
        if words.next_if(|&&word| word == index).is_none() {
            characters += if token.hash == link { 0 } else { length.min(LONGEST_RUN) };
            continue;
        }
        characters += length;
        if token.weight == Weight::NONE {
            continue;
        }
        // Unknown names in code and formulas are no words of a language.
        let is_known = is_known(token);
        if is_known || is_prose(text, *token) {
            all += token.weight.words();
        }
        if is_known {
            known += token.weight.words();
        }
    }
    Size { characters, words: scan.words.len(), known_words: (all >= LEAST_WORDS).then(|| known / all) }
}

/// Whether a word stands among words, and not in code, a formula, a path or a name with a sign.
fn is_prose(text: &str, token: Token) -> bool {
    let is_sign = |c: char| "_=<>{}[]/\\|+*^&%$#@~`".contains(c);
    let mut before = text[..token.start as usize].chars().rev();
    let mut behind = text[token.end as usize..].chars();
    let joins = |c: Option<char>, next: Option<char>| {
        matches!(c, Some('.' | ':' | '!'))
            && next.is_some_and(|c| c.is_alphanumeric() || is_sign(c) || "(:".contains(c))
    };
    let (last, first) = (before.next(), behind.next());
    let (last_but_one, second) = (before.next(), behind.next());
    let is_beside_sign = last.is_some_and(is_sign) || first.is_some_and(|c| is_sign(c) || c == '(');
    let is_argument = last == Some('(') && last_but_one.is_some_and(|c| c.is_alphanumeric() || is_sign(c) || c == '!');
    !is_beside_sign && !is_argument && !joins(last, last_but_one) && !joins(first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size_of(text: &str) -> Size {
        let mut scan = Scan::default();
        scan.read(text);
        size(&scan, text, |it| ["the", "is", "that", "so", "lol"].iter().any(|word| word_hash(word) == it.hash))
    }

    #[test]
    fn a_text_is_as_long_as_what_it_says() {
        for (text, characters, words) in [
            ("", 0, 0),
            ("  ok  ", 2, 1),
            ("so true!!!!!!!!!!", 10, 2),
            ("so \n\n   true", 7, 2),
            ("https://example.org/a/very/long/path", 0, 0),
            ("lol https://example.org/a/very/long/path", 4, 1),
            ("\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602} ha", 6, 1),
            ("\u{4F60}\u{597D}", 2, 1),
        ] {
            let size = size_of(text);
            assert_eq!((size.characters, size.words), (characters, words), "{text:?}");
        }
    }

    #[test]
    fn the_share_of_known_words_is_of_those_of_a_language() {
        for (text, share) in [
            ("so is that", Some(1.0)),
            ("so lol", None),
            ("the cat is that", Some(0.75)),
            ("the x y z 42 p53 is that", Some(1.0)),
            ("the is that np.sin(foo) a_b bar[3] @name #tag std::vec x/yy", Some(1.0)),
            ("das ist doch (nur) Unsinn, \u{201E}sagt\u{201C} er.", Some(0.0)),
            ("\u{4F60}\u{662F}\u{6211}\u{89C1}\u{8FC7}\u{7684}", Some(0.0)),
            ("the is \u{4F60}\u{662F}\u{6211}\u{89C1}", Some(0.5)),
        ] {
            assert_eq!(size_of(text).known_words, share, "{text:?}");
        }
    }

    fn sizes(characters: impl Iterator<Item = usize>) -> Vec<Size> {
        characters.map(|characters| Size { characters, words: characters / 5, known_words: Some(0.9) }).collect()
    }

    #[test]
    fn nearly_all_training_texts_lie_in_their_support_and_what_is_of_another_kind_does_not() {
        let all = sizes(1..=1_000);
        let support = Support::of(&all);
        assert_eq!((support.characters, support.words), (Range { from: 6, to: 995 }, Range { from: 1, to: 199 }));
        assert!((support.known_words - ENOUGH_KNOWN).abs() < 1e-12);
        let outside = |characters, words, known_words| support.outside(Size { characters, words, known_words });
        assert_eq!(outside(4, 1, None), Some(Outside::Shorter));
        assert_eq!(outside(5, 0, None), None);
        assert_eq!(outside(1_094, 200, Some(0.5)), None);
        assert_eq!(outside(1_095, 200, Some(0.5)), Some(Outside::Longer));
        assert_eq!(outside(100, 219, Some(0.5)), Some(Outside::Longer));
        assert_eq!(outside(100, 20, Some(0.3)), Some(Outside::UnknownWords));
        assert_eq!(outside(4, 1, Some(0.3)), Some(Outside::UnknownWords));
        // Where even training texts had few known words, no more are asked for.
        let few: Vec<Size> = all.iter().map(|size| Size { known_words: Some(0.1), ..*size }).collect();
        assert_eq!(Support::of(&few).outside(Size { characters: 100, words: 20, known_words: Some(0.2) }), None);
    }

    #[test]
    fn a_kind_of_text_that_was_seen_often_is_known_however_many_others_there_were() {
        let short = sizes(std::iter::repeat_n(3, 60).chain(std::iter::repeat_n(200, 100_000)));
        let support = Support::of(&short);
        assert_eq!(support.characters, Range { from: 3, to: 200 });
        // A single letter is too little for anybody.
        let letter = Support::of(&sizes((0..60).map(|index| 1 + index % 2)));
        let outside = [1, 2].map(|characters| letter.outside(Size { characters, words: 0, known_words: None }));
        assert_eq!(outside, [Some(Outside::Shorter), None]);
    }

    #[test]
    fn a_support_that_makes_no_sense_is_refused() {
        let support = Support::of(&sizes(1..=100));
        assert!(support.check().is_ok());
        for known_words in [-0.1, 1.1, f64::NAN] {
            assert!(Support { known_words, ..support }.check().is_err());
        }
        assert!(Support { words: Range { from: 2, to: 1 }, ..support }.check().is_err());
    }

    proptest! {
        #[test]
        fn training_on_short_comments_widens_the_support(texts in prop::collection::vec(1..500_usize, 1..300), short in LEAST_CHARACTERS..20) {
            let all = sizes(texts.iter().copied());
            let more = sizes(texts.iter().copied().chain(std::iter::repeat_n(short, 60)));
            let size = Size { characters: short, words: short / 5, known_words: Some(0.9) };
            prop_assert_eq!(Support::of(&more).outside(size), None);
            prop_assert!(Support::of(&more).characters.from <= Support::of(&all).characters.from.max(short));
        }
    }
}
