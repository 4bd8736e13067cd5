//! A second form of words that are not known as they stand, and are once a disguise is off: digits for letters (`id1ot`), letters
//! repeated three times and more (`stuuupid`), letters with gaps between (`k i l l`).
//!
//! A word stays what it is unless the result is a known word, so plain text does, and so do numbers with units, names of things
//! (`p53`) and initials. A rewritten token keeps its place in the text, so a reader is shown what stands there.

use crate::known::word_hash;
use crate::scan::{NO_TERM, Scan, Token};
use crate::subwords::BORDER;
use crate::support::Weight;

/// The fewest letters of a word that is found behind a disguise: shorter ones are found by chance.
pub(crate) const SHORTEST: usize = 3;
/// The most letters of a word that gaps are taken out of.
const LONGEST: usize = 20;
/// The fewest characters behind digits that begin a word for them to be letters: `10am` and `1st` have units, `1diot` has none.
const BEHIND_DIGITS: usize = 3;
/// The most places of a word at which either of two spellings is tried.
const MOST_CHOICES: u32 = 4;
/// The most single letters in a row that are looked at together.
const MOST_LETTERS: usize = 64;
/// What may stand between letters in place of a blank: `k.i.l.l`.
const SEPARATORS: &[u8] = b" .-_*|";

/// Buffers for the second forms of a text's words.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecondForm {
    tokens: Vec<Token>,
    words: Vec<u32>,
    forms: Vec<u8>,
    /// Letters with gaps between, each with its token's index.
    letters: Vec<(u8, usize)>,
    /// For each letter with a gap, the fewest pieces from there on, and the length of the first of them.
    pieces: Vec<(usize, usize)>,
    /// The word that is tried, with letters in place of digits.
    lettered: String,
    /// The word that is tried.
    tried: String,
}

impl SecondForm {
    /// Puts second forms in place of the words of `scan` that have one, and returns whether there is one. `text` is what was
    /// scanned. What was looked up of the words is then no longer so.
    pub(crate) fn apply(&mut self, scan: &mut Scan, text: &str, is_known: impl Fn(u64) -> bool) -> bool {
        let mut has_one = false;
        self.tokens.clear();
        self.words.clear();
        self.forms.clear();
        // The token, the word and the byte of the forms that come next.
        let (mut at, mut word, mut from) = (0, 0, 0);
        while let Some(&token) = scan.tokens.get(at) {
            if scan.words.get(word).is_none_or(|&index| index as usize != at) {
                self.tokens.push(token);
                at += 1;
                continue;
            }
            self.find_letters(scan, text, word, from);
            if self.join(&is_known) {
                has_one = true;
                self.push_pieces(&scan.tokens);
                let letters = self.letters.len();
                at = self.letters[letters - 1].1 + 1;
                word += letters;
                from += letters * 2;
                continue;
            }
            let end = from + scan.forms[from..].iter().position(|&byte| byte == BORDER).unwrap_or_default();
            let form = &scan.forms[from..end];
            let is_looked_at = may_be_disguised(form) && !is_known(token.hash);
            let found = if is_looked_at { self.without_disguise(form, &is_known) } else { None };
            has_one |= found.is_some();
            let form = if found.is_some() { self.tried.as_bytes() } else { form };
            self.words.push(self.tokens.len() as u32);
            self.tokens.push(match found {
                Some(hash) => Token { hash, weight: Weight::of(form), ..token },
                None => token,
            });
            self.forms.extend_from_slice(form);
            self.forms.push(BORDER);
            at += 1;
            word += 1;
            from = end + 1;
        }
        std::mem::swap(&mut self.tokens, &mut scan.tokens);
        std::mem::swap(&mut self.words, &mut scan.words);
        std::mem::swap(&mut self.forms, &mut scan.forms);
        has_one
    }

    /// Whether some word of `scan` may have a second form, where no more than these words are known.
    pub(crate) fn may_change(&mut self, scan: &Scan, text: &str, is_word: impl Fn(u64) -> bool) -> bool {
        if !may_have_one(&scan.forms) {
            return false;
        }
        let mut from = 0;
        (0..scan.words.len()).any(|word| {
            self.find_letters(scan, text, word, from);
            let end = from + scan.forms[from..].iter().position(|&byte| byte == BORDER).unwrap_or_default();
            let form = &scan.forms[from..end];
            from = end + 1;
            self.letters.len() >= SHORTEST
                || (may_be_disguised(form) && self.without_disguise(form, &is_word).is_some())
        })
    }

    /// Finds the single letters with gaps of one kind between, from this word on, whose form begins at `from`.
    fn find_letters(&mut self, scan: &Scan, text: &str, word: usize, from: usize) {
        self.letters.clear();
        let mut gap = None;
        let mut end = None;
        let words = scan.words[word..].iter().map(|&index| index as usize);
        for (at, form) in words.zip(scan.forms[from..].as_chunks().0).take(MOST_LETTERS) {
            let &[letter, BORDER] = form else { break };
            let token = scan.tokens[at];
            // A letter stands one byte behind the one before, with no mark but the gap's between.
            let is_next = end.is_none_or(|end: u32| token.start == end + 1);
            if !letter.is_ascii_alphabetic() || !is_next {
                break;
            }
            self.letters.push((letter, at));
            end = Some(token.end);
            let Some(&between) = text.as_bytes().get(token.end as usize) else { break };
            if gap.is_some_and(|gap| gap != between) || !SEPARATORS.contains(&between) {
                break;
            }
            gap = Some(between);
        }
    }

    /// Joins the letters that were found into the fewest pieces, each a known word or a letter. Returns whether there is a word
    /// among them that is not there by chance.
    fn join(&mut self, is_known: impl Fn(u64) -> bool) -> bool {
        let SecondForm { letters, pieces, tried, .. } = self;
        if letters.len() < SHORTEST {
            return false;
        }
        pieces.clear();
        pieces.resize(letters.len() + 1, (0, 0));
        for first in (0..letters.len()).rev() {
            tried.clear();
            let mut best = (pieces[first + 1].0 + 1, 1);
            for (length, &(letter, _)) in (1..=LONGEST).zip(&letters[first..]) {
                tried.push(char::from(letter));
                let count = pieces[first + length].0 + 1;
                if length > 1 && count < best.0 && is_known(word_hash(tried)) {
                    best = (count, length);
                }
            }
            pieces[first] = best;
        }
        self.lengths().any(|length| length >= SHORTEST)
    }

    /// The lengths of the pieces, in order.
    fn lengths(&self) -> impl Iterator<Item = usize> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let length = self.pieces.get(at)?.1;
            at += length;
            (length > 0).then_some(length)
        })
    }

    fn push_pieces(&mut self, tokens: &[Token]) {
        let mut first = 0;
        while first < self.letters.len() {
            let piece = &self.letters[first..first + self.pieces[first].1];
            self.tried.clear();
            self.tried.extend(piece.iter().map(|&(letter, _)| char::from(letter)));
            self.words.push(self.tokens.len() as u32);
            self.tokens.push(Token {
                hash: word_hash(&self.tried),
                start: tokens[piece[0].1].start,
                end: tokens[piece[piece.len() - 1].1].end,
                term: NO_TERM,
                is_known: false,
                weight: Weight::of(self.tried.as_bytes()),
            });
            self.forms.extend_from_slice(self.tried.as_bytes());
            self.forms.push(BORDER);
            first += piece.len();
        }
    }

    /// The hash of the known word that an unknown one disguises; the word is in `tried` then.
    fn without_disguise(&mut self, form: &[u8], is_known: impl Fn(u64) -> bool) -> Option<u64> {
        let form = std::str::from_utf8(form).ok()?;
        let SecondForm { lettered, tried, .. } = self;
        let ones = form.bytes().filter(|&byte| byte == b'1').count() as u32;
        for ells in 0..1_u32 << ones.min(MOST_CHOICES) {
            if !write_lettered(form, ells, lettered) {
                return None;
            }
            let repeats = runs(lettered).filter(|&(_, length)| length >= 3).count() as u32;
            // Each run of three and more as it is, as two letters (`goooood` is hardly `god`), or as one.
            let as_it_is = std::iter::once(None);
            let shortened = (0..1_u32 << repeats.min(MOST_CHOICES)).rev().map(Some).filter(|_| repeats > 0);
            for twice in as_it_is.chain(shortened) {
                write_shortened(lettered, twice, tried);
                let hash = word_hash(tried);
                if tried != form && tried.chars().nth(SHORTEST - 1).is_some() && is_known(hash) {
                    return Some(hash);
                }
            }
        }
        None
    }
}

/// Whether a text, by the forms of its words, may hold a word that has a second form: most do not.
fn may_have_one(forms: &[u8]) -> bool {
    let has_digit_beside_letter = forms
        .windows(2)
        .any(|it| it[0].is_ascii_digit() != it[1].is_ascii_digit() && it[0] != BORDER && it[1] != BORDER);
    let has_repeat = || forms.windows(3).any(|it| it[0] == it[1] && it[1] == it[2]);
    // Of two bytes each, as Greek and Cyrillic letters are.
    let has_wide_repeat = || forms.windows(6).any(|it| it[0] >= 0x80 && it[..2] == it[2..4] && it[2..4] == it[4..]);
    let has_gaps = || forms.windows(4).any(|it| it[1] == BORDER && it[3] == BORDER);
    has_digit_beside_letter || has_repeat() || has_gaps() || (!forms.is_ascii() && has_wide_repeat())
}

/// Whether a word has a digit, or a character three times in a row: no other can have a second form by itself.
pub(crate) fn may_be_disguised(form: &[u8]) -> bool {
    let has_repeat = || form.windows(3).any(|it| it[0] == it[1] && it[1] == it[2]);
    form.iter().any(|byte| byte.is_ascii_digit() || *byte >= 0x80) || has_repeat()
}

/// The runs of equal characters, each with its length.
fn runs(word: &str) -> impl Iterator<Item = (char, usize)> {
    let mut chars = word.chars().peekable();
    std::iter::from_fn(move || {
        let first = chars.next()?;
        let mut length = 1;
        while chars.next_if_eq(&first).is_some() {
            length += 1;
        }
        Some((first, length))
    })
}

/// Writes a word with the letters that its digits look like; of its ones, those with a bit in `ells` are an l and the others an
/// i. Returns whether the digits may be letters: there are others, and each looks like one.
fn write_lettered(form: &str, mut ells: u32, out: &mut String) -> bool {
    out.clear();
    let behind = form.trim_start_matches(|c: char| c.is_ascii_digit());
    if behind.len() < form.len() && behind.chars().nth(BEHIND_DIGITS - 1).is_none() {
        return false;
    }
    for c in form.chars() {
        out.push(match c {
            '0' => 'o',
            '1' => {
                let is_ell = ells & 1 == 1;
                ells >>= 1;
                if is_ell { 'l' } else { 'i' }
            }
            '3' => 'e',
            '4' => 'a',
            '5' => 's',
            '7' => 't',
            '8' => 'b',
            '9' => 'g',
            '2' | '6' => return false,
            other => other,
        });
    }
    true
}

/// Writes a word as it is, or with each run of three and more as two letters where it has a bit in `twice`, and else as one.
fn write_shortened(word: &str, twice: Option<u32>, out: &mut String) {
    out.clear();
    let mut bits = twice.unwrap_or_default();
    for (c, length) in runs(word) {
        let mut kept = length;
        if twice.is_some() && length >= 3 {
            kept = 1 + (bits & 1) as usize;
            bits >>= 1;
        }
        out.extend(std::iter::repeat_n(c, kept));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: [&str; 14] = [
        "idiot",
        "stupid",
        "kill",
        "yourself",
        "good",
        "god",
        "you",
        "are",
        "asshole",
        "so",
        "i",
        "will",
        "the",
        "\u{43E}\u{447}\u{435}\u{43D}\u{44C}",
    ];

    fn is_known(hash: u64) -> bool {
        KNOWN.iter().any(|word| word_hash(word) == hash)
    }

    /// The words of a text after their second form, each with its spelling.
    fn words(text: &str) -> Vec<(String, &str)> {
        let mut scan = Scan::default();
        scan.read(text);
        SecondForm::default().apply(&mut scan, text, is_known);
        let forms = std::str::from_utf8(&scan.forms).expect("UTF-8").split_terminator(' ');
        let tokens = scan.words.iter().map(|&index| scan.tokens[index as usize]);
        let both = forms.zip(tokens).map(|(form, token)| {
            assert_eq!(token.hash, word_hash(form), "{form}");
            (form.to_owned(), &text[token.start as usize..token.end as usize])
        });
        both.collect()
    }

    fn forms(text: &str) -> String {
        words(text).into_iter().map(|(form, _)| form).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_disguised_word_is_the_known_one() {
        for (text, expected) in [
            ("you id1ot", "you idiot"),
            ("1diot 1D10T idi0t", "idiot idiot idiot"),
            ("455hole a55h0l3", "asshole asshole"),
            ("k1ll wi11", "kill will"),
            ("STUUUPID stuuuuupiiiiid", "stupid stupid"),
            ("goooood gooood", "good good"),
            ("idiooo0t stuuup1d", "idiot stupid"),
            ("k i l l yourself", "kill yourself"),
            ("k.i.l.l y-o-u", "kill you"),
            ("i k i l l y o u", "i kill you"),
            ("k i l l ?k i l l", "kill kill"),
            ("k i l l \u{E9} k i l l", "kill \u{E9} kill"),
            ("y o u   i d i o t", "you idiot"),
            ("\u{43E}\u{43E}\u{43E}\u{43E}\u{447}\u{435}\u{43D}\u{44C}", "\u{43E}\u{447}\u{435}\u{43D}\u{44C}"),
        ] {
            assert_eq!(forms(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_known_a_number_or_no_word_behind_it_stays() {
        for text in [
            "p53 and 10am 1st 7th 500mg",
            "i1 1o 50 100 000 1111",
            "id2ot idi6t",
            "soooo",
            "aaa ooo",
            "x y z q",
            "i i i",
            "k i l",
            "k i-l l",
            "k i  l l",
            "the god",
        ] {
            assert_eq!(
                forms(text),
                text.replace(['-', ' '], " ").split_whitespace().collect::<Vec<_>>().join(" "),
                "{text}"
            );
        }
    }

    #[test]
    fn a_reader_is_shown_the_word_as_it_stands_in_the_text() {
        let shown: Vec<&str> = words("You ID1OT, k i l l STUUUPID").into_iter().map(|(_, spelling)| spelling).collect();
        assert_eq!(shown, ["You", "ID1OT", "k i l l", "STUUUPID"]);
    }

    proptest! {
        #[test]
        fn known_words_and_marks_stay_and_tokens_stand_in_order(text in "([a-z]{1,6}|idiot|id1ot|k i l l|[a-z0-9]{1,9}|[.!?-]| |good|gooood){0,12}") {
            let mut scan = Scan::default();
            scan.read(&text);
            let before = scan.clone();
            SecondForm::default().apply(&mut scan, &text, is_known);
            prop_assert!(scan.tokens.is_sorted_by(|a, b| a.start < a.end && a.end <= b.start));
            let at = |scan: &Scan| scan.words.iter().map(|&index| scan.tokens[index as usize]).collect::<Vec<_>>();
            for token in at(&before) {
                let now = at(&scan).into_iter().find(|it| it.start <= token.start && token.end <= it.end);
                let now = now.expect("no word is lost");
                prop_assert!(now.hash == token.hash || !is_known(token.hash) || token.end - token.start == 1);
                prop_assert!(now.hash == token.hash || is_known(now.hash));
            }
        }
    }
}
