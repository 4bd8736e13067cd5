//! One pass over a text, its letters in their one form: its tokens, hashed, and its [measures](crate::measures).
//!
//! A token is a word (letters and digits with their combining marks, and apostrophes inside: `don't`), a link, or a run of one
//! punctuation mark. Case does not matter to a token, typographic apostrophes are plain ones, a link is `URL`, and a mark counts
//! up to three times.

use normal_form::{each_folded, is_mark};

use crate::hash::Hash;
use crate::second_form;
use crate::subwords::{BORDER, SUBWORDS_A_BYTE};
use crate::support::Weight;
use crate::words::{self, Eight, MAX_SUBWORDS, Word, Words};

/// A token: the hash of its normal form, and where it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The hash of the token's normal form.
    pub(crate) hash: u64,
    /// The token's first byte.
    pub(crate) start: u32,
    /// The byte after the token's last.
    pub(crate) end: u32,
    /// The term that the token is by itself, or [`NO_TERM`]; where nobody looked it up, there is none.
    pub(crate) term: u32,
    /// Whether the token is a word that is known; where nobody looked it up, none is.
    pub(crate) is_known: bool,
    /// Of a word, how much it counts in the share of words that are known.
    pub(crate) weight: Weight,
}

/// What stands in place of a term where there is none.
pub(crate) const NO_TERM: u32 = u32::MAX;

/// What a scan looks up along the way.
pub(crate) trait Lexicon {
    /// Whether there is anything to look up.
    const IS_EMPTY: bool = false;

    /// The term with this hash, or [`NO_TERM`].
    fn term(&self, hash: u64) -> u32;

    /// What is made of a word with this hash and normal form.
    fn word(&self, hash: u64, form: &[u8]) -> Word;

    /// Writes the subwords of a normal form with a border after it, and returns their number. There is room for as many as it can
    /// have.
    fn subwords(&self, form: &[u8], to: &mut [u32]) -> usize;

    /// The hash of a single mark of ASCII, and the term that it is.
    fn mark(&self, mark: u8) -> (u64, u32);
}

/// A lexicon that nothing is in.
pub(crate) struct Nothing;

impl Lexicon for Nothing {
    const IS_EMPTY: bool = true;

    fn term(&self, _: u64) -> u32 {
        NO_TERM
    }

    fn word(&self, hash: u64, _: &[u8]) -> Word {
        Word { hash, term: NO_TERM, is_known: false, may_be_disguised: false }
    }

    fn subwords(&self, _: &[u8], _: &mut [u32]) -> usize {
        0
    }

    fn mark(&self, mark: u8) -> (u64, u32) {
        let mut hash = Hash::new();
        hash.byte(mark);
        (hash.finish(), NO_TERM)
    }
}

/// The normal form of every link.
pub(crate) const LINK: &str = "URL";

/// The longest run of a mark: one that is repeated more often is the same token.
pub(crate) const LONGEST_RUN: usize = 3;

/// The numbers that are counted in a text along with its tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Unicode scalar values.
    pub(crate) chars: usize,
    /// Words, numbers among them.
    pub(crate) words: usize,
    /// Characters of all words.
    pub(crate) word_chars: usize,
    /// Words of eight characters or more.
    pub(crate) long_words: usize,
    /// Characters of the longest word.
    pub(crate) longest_word: usize,
    /// Words of two letters or more, all capitals.
    pub(crate) shouted_words: usize,
    /// Links.
    pub(crate) links: usize,
    /// Letters outside of links.
    pub(crate) letters: usize,
    /// Capital letters outside of links.
    pub(crate) capitals: usize,
    /// ASCII digits outside of links.
    pub(crate) digits: usize,
    /// Ends of sentences: `.`, `!` or `?` before white space or the end.
    pub(crate) sentences: usize,
    /// Line feeds.
    pub(crate) line_breaks: usize,
    /// Blank lines.
    pub(crate) paragraph_breaks: usize,
    /// Lines that begin with `>`.
    pub(crate) quoted_lines: usize,
    /// `...` or `…`.
    pub(crate) ellipses: usize,
    /// `?`.
    pub(crate) question_marks: usize,
    /// `!`.
    pub(crate) exclamation_marks: usize,
    /// `"` and its typographic forms.
    pub(crate) quotation_marks: usize,
    /// `(`.
    pub(crate) parentheses: usize,
    /// `[`.
    pub(crate) brackets: usize,
    /// `*`.
    pub(crate) asterisks: usize,
    /// `,`.
    pub(crate) commas: usize,
    /// `.`.
    pub(crate) full_stops: usize,
    /// `:`.
    pub(crate) colons: usize,
    /// The first character that is not white space.
    pub(crate) first: Option<char>,
    /// The last character that is not white space.
    pub(crate) last: Option<char>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Word,
    Mark,
    Wide,
}

const CLASS: [Class; 256] = {
    let mut table = [Class::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            0..=b' ' | 0x7F => Class::Space,
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Class::Word,
            0x80.. => Class::Wide,
            _ => Class::Mark,
        };
        byte += 1;
    }
    table
};

/// What a scan finds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scan {
    /// All tokens.
    pub(crate) tokens: Vec<Token>,
    /// The tokens that are words, by index.
    pub(crate) words: Vec<u32>,
    /// The words' normal forms, a [`BORDER`] after each.
    pub(crate) forms: Vec<u8>,
    /// The numbers that were counted.
    pub(crate) counts: Counts,
    /// The subwords that were looked up, word by word; what is behind them is of texts before.
    pub(crate) subwords: Vec<u32>,
    /// Where the subwords of each word end.
    pub(crate) subword_ends: Vec<u32>,
    /// Whether a word that was looked up may have a second form.
    pub(crate) may_be_disguised: bool,
}

impl Scan {
    /// Scans `text` (at most 4 GiB), replacing what was found before, and looks nothing up.
    pub(crate) fn read(&mut self, text: &str) {
        self.look_up(text, &Nothing, &mut Words::default());
    }

    /// Scans `text` and looks its tokens up; `kept` are those of its words that were before.
    pub(crate) fn look_up<L: Lexicon>(&mut self, text: &str, lexicon: &L, kept: &mut Words) {
        self.tokens.clear();
        self.words.clear();
        self.forms.clear();
        self.subword_ends.clear();
        self.may_be_disguised = false;
        self.counts = Counts { chars: text.chars().count(), ..Counts::default() };
        let bytes = text.as_bytes();
        Scanner { text, bytes, scan: self, lexicon, kept, at: 0, last_at: 0, letters_in_row: 0, next_letter_at: 0 }
            .run();
    }

    /// Makes room behind `from` for the subwords of a form of so many bytes. What is kept of a word is written with room for the
    /// most that a word has.
    #[inline]
    pub(crate) fn make_room(&mut self, from: usize, bytes: usize) {
        let least = from + bytes * SUBWORDS_A_BYTE + MAX_SUBWORDS;
        if self.subwords.len() < least {
            self.subwords.resize(least, 0);
        }
    }

    /// The number of subwords that were looked up.
    pub(crate) fn subword_count(&self) -> usize {
        self.subword_ends.last().map_or(0, |end| *end as usize)
    }
}

struct Scanner<'a, L> {
    text: &'a str,
    bytes: &'a [u8],
    scan: &'a mut Scan,
    lexicon: &'a L,
    kept: &'a mut Words,
    at: usize,
    /// The place of the last character that is not white space.
    last_at: usize,
    /// The number of the last words that are single letters, each one byte behind the one before.
    letters_in_row: usize,
    /// Where one more of them would stand.
    next_letter_at: usize,
}

impl<L: Lexicon> Scanner<'_, L> {
    fn run(&mut self) {
        let mut line_begins = true;
        let mut line_is_blank = false;
        while let Some(&byte) = self.bytes.get(self.at) {
            let class = match CLASS[byte as usize] {
                Class::Wide => self.wide_class(),
                class => class,
            };
            if class == Class::Space {
                if byte == b'\n' {
                    self.scan.counts.line_breaks += 1;
                    self.scan.counts.paragraph_breaks += usize::from(line_is_blank);
                    line_begins = true;
                    line_is_blank = true;
                }
                self.at += if byte < 0x80 { 1 } else { self.char().len_utf8() };
                continue;
            }
            if self.scan.counts.first.is_none() {
                self.scan.counts.first = Some(self.char());
            }
            if line_begins && byte == b'>' {
                self.scan.counts.quoted_lines += 1;
            }
            (line_begins, line_is_blank) = (false, false);
            if class == Class::Mark {
                self.mark();
            } else if matches!(byte.to_ascii_lowercase(), b'h' | b'w')
                && let Some(length) = link(&self.bytes[self.at..])
            {
                self.link(length);
            } else if L::IS_EMPTY || !self.plain_word() {
                self.word();
            }
        }
        self.scan.counts.last = self.text.get(self.last_at..).and_then(|rest| rest.chars().next());
        if self.scan.counts.first.is_none() {
            self.scan.counts.last = None;
        }
    }

    /// The character at `at`, which lies inside the text, at a character's first byte.
    fn char(&self) -> char {
        self.text[self.at..].chars().next().unwrap_or_default()
    }

    fn wide_class(&self) -> Class {
        let char = self.char();
        if char.is_alphanumeric() {
            Class::Word
        } else if char.is_whitespace() {
            Class::Space
        } else {
            Class::Mark
        }
    }

    /// Adds a token that is no word, and looks it up.
    fn push(&mut self, hash: Hash, start: usize) {
        let hash = hash.finish();
        self.push_found(hash, self.lexicon.term(hash), start);
    }

    /// Adds a token that is no word, and is this term.
    fn push_found(&mut self, hash: u64, term: u32, start: usize) {
        self.scan.tokens.push(Token {
            hash,
            start: start as u32,
            end: self.at as u32,
            term,
            is_known: false,
            weight: Weight::NONE,
        });
    }

    /// Adds the token of a word, whose form and subwords are there already.
    fn push_word(&mut self, word: Word, start: usize, is_letter: bool, weight: Weight) {
        let Word { hash, term, is_known, may_be_disguised } = word;
        self.letters_in_row = match (is_letter, self.next_letter_at == start) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => self.letters_in_row + 1,
        };
        self.next_letter_at = self.at + 1;
        self.scan.may_be_disguised |= may_be_disguised || self.letters_in_row >= second_form::SHORTEST;
        self.scan.words.push(self.scan.tokens.len() as u32);
        self.scan.tokens.push(Token { hash, start: start as u32, end: self.at as u32, term, is_known, weight });
    }

    /// Reads a word of up to [`words::MAX_WORD_BYTES`] ASCII letters and digits, and nothing behind it that may belong to it. Returns
    /// whether there is one.
    #[inline(always)]
    fn plain_word(&mut self) -> bool {
        let start = self.at;
        let mut bytes = [0; words::MAX_WORD_BYTES];
        match self.bytes.get(start..start + words::MAX_WORD_BYTES) {
            Some(all) => bytes.copy_from_slice(all),
            None => bytes[..self.bytes.len() - start].copy_from_slice(&self.bytes[start..]),
        }
        let ([first, second], _) = bytes.as_chunks() else { return false };
        let first = Eight::of(*first);
        let mut length = first.length();
        let (low, mut letters, mut capitals) = first.first(length);
        let mut key = [low, 0];
        if length == 8 {
            let second = Eight::of(*second);
            let more = second.length();
            let (high, more_letters, more_capitals) = second.first(more);
            key[1] = high;
            length += more;
            letters += more_letters;
            capitals += more_capitals;
        }
        let goes_on = |next: &u8| *next == b'\'' || *next >= 0x80 || length == words::MAX_WORD_BYTES;
        if length == 0 || self.bytes.get(start + length).is_some_and(goes_on) {
            return false;
        }
        let mut form = [BORDER; words::MAX_WORD_BYTES + 1];
        form[..8].copy_from_slice(&key[0].to_le_bytes());
        form[8..words::MAX_WORD_BYTES].copy_from_slice(&key[1].to_le_bytes());
        form[length] = BORDER;
        // As many bytes whatever the word's length: that is one step.
        let behind = self.scan.forms.len() + length + 1;
        self.scan.forms.extend_from_slice(&form);
        self.scan.forms.truncate(behind);
        let form = &form[..=length];
        let from = self.scan.subword_count();
        self.scan.make_room(from, form.len());
        let subwords = &mut self.scan.subwords[from..];
        let (word, count) = match self.kept.find(key, subwords) {
            Ok(found) => found,
            Err(place) => {
                let mut hash = Hash::new();
                hash.bytes(&form[..length]);
                let word = self.lexicon.word(hash.finish(), &form[..length]);
                let count = self.lexicon.subwords(form, subwords);
                self.kept.keep(place, key, word, &subwords[..count]);
                (word, count)
            }
        };
        self.scan.subword_ends.push((from + count) as u32);
        self.at = start + length;
        self.last_at = self.at - 1;
        let weight = if length > 1 && letters == length { Weight::ONE } else { Weight::NONE };
        self.push_word(word, start, length == 1 && letters == 1, weight);
        self.scan.counts.digits += length - letters;
        self.count_word(length, letters, capitals);
        true
    }

    fn count_word(&mut self, chars: usize, letters: usize, capitals: usize) {
        let counts = &mut self.scan.counts;
        counts.words += 1;
        counts.word_chars += chars;
        counts.long_words += usize::from(chars >= 8);
        counts.longest_word = counts.longest_word.max(chars);
        counts.shouted_words += usize::from(letters >= 2 && letters == capitals);
        counts.letters += letters;
        counts.capitals += capitals;
    }

    fn mark(&mut self) {
        let start = self.at;
        let byte = self.bytes[start];
        let (mut char, mut run) = (char::from(byte), 1);
        if byte < 0x80 && self.bytes.get(start + 1) != Some(&byte) {
            (self.at, self.last_at) = (start + 1, start);
            let (hash, term) = self.lexicon.mark(byte);
            self.push_found(hash, term, start);
        } else {
            char = self.char();
            let width = char.len_utf8();
            let unit = &self.bytes[start..start + width];
            while self.bytes[start + run * width..].starts_with(unit) {
                run += 1;
            }
            let mut hash = Hash::new();
            for _ in 0..run.min(LONGEST_RUN) {
                hash.bytes(unit);
            }
            self.at = start + run * width;
            self.last_at = self.at - width;
            self.push(hash, start);
        }

        let counts = &mut self.scan.counts;
        match char {
            '?' => counts.question_marks += run,
            '!' => counts.exclamation_marks += run,
            '"' | '\u{201C}' | '\u{201D}' => counts.quotation_marks += run,
            '(' => counts.parentheses += run,
            '[' => counts.brackets += run,
            '*' => counts.asterisks += run,
            ',' => counts.commas += run,
            ':' => counts.colons += run,
            '.' => {
                counts.full_stops += run;
                counts.ellipses += usize::from(run >= 3);
            }
            '\u{2026}' => counts.ellipses += run,
            _ => {}
        }
        if matches!(char, '.' | '!' | '?') && self.bytes.get(self.at).is_none_or(u8::is_ascii_whitespace) {
            counts.sentences += 1;
        }
    }

    fn link(&mut self, length: usize) {
        let start = self.at;
        self.at += length;
        self.last_at = self.at - 1;
        while !self.text.is_char_boundary(self.last_at) {
            self.last_at -= 1;
        }
        self.scan.counts.links += 1;
        let mut hash = Hash::new();
        hash.bytes(LINK.as_bytes());
        self.push(hash, start);
    }

    fn word(&mut self) {
        let start = self.at;
        let from = self.scan.forms.len();
        let mut hash = Hash::new();
        let (mut chars, mut letters, mut capitals) = (0, 0, 0);
        while let Some(&byte) = self.bytes.get(self.at) {
            match CLASS[byte as usize] {
                Class::Word => {
                    let lower = byte.to_ascii_lowercase();
                    hash.byte(lower);
                    self.scan.forms.push(lower);
                    letters += usize::from(byte.is_ascii_alphabetic());
                    capitals += usize::from(byte.is_ascii_uppercase());
                    self.scan.counts.digits += usize::from(byte.is_ascii_digit());
                    self.last_at = self.at;
                    self.at += 1;
                }
                Class::Wide => {
                    let char = self.char();
                    if char == '\u{2019}' && self.word_goes_on(char.len_utf8()) {
                        hash.byte(b'\'');
                        self.scan.forms.push(b'\'');
                    } else if char.is_alphanumeric() || is_mark(char) {
                        let mut utf8 = [0; 4];
                        each_folded(char, |folded| {
                            let folded = folded.encode_utf8(&mut utf8).as_bytes();
                            hash.bytes(folded);
                            self.scan.forms.extend_from_slice(folded);
                        });
                        letters += usize::from(char.is_alphabetic());
                        capitals += usize::from(char.is_uppercase());
                    } else {
                        break;
                    }
                    self.last_at = self.at;
                    self.at += char.len_utf8();
                }
                Class::Mark if byte == b'\'' && self.word_goes_on(1) => {
                    hash.byte(b'\'');
                    self.scan.forms.push(b'\'');
                    self.at += 1;
                }
                Class::Mark | Class::Space => break,
            }
            chars += 1;
        }
        let form = &self.scan.forms[from..];
        let is_letter = matches!(form, [letter] if letter.is_ascii_alphabetic());
        let weight = Weight::of(form);
        let word = self.lexicon.word(hash.finish(), form);
        self.scan.forms.push(BORDER);
        if !L::IS_EMPTY {
            let before = self.scan.subword_count();
            self.scan.make_room(before, self.scan.forms.len() - from);
            let Scan { forms, subwords, .. } = self.scan;
            let count = self.lexicon.subwords(&forms[from..], &mut subwords[before..]);
            self.scan.subword_ends.push((before + count) as u32);
        }
        self.push_word(word, start, is_letter, weight);
        self.count_word(chars, letters, capitals);
    }

    /// Whether a word's character stands `skip` bytes further.
    fn word_goes_on(&self, skip: usize) -> bool {
        self.text[self.at + skip..].chars().next().is_some_and(char::is_alphanumeric)
    }
}

/// The length of the link that `rest` begins with: up to white space or what closes a Markdown link, a tag or a quotation.
fn link(rest: &[u8]) -> Option<usize> {
    let begins = |with: &str| rest.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()));
    let prefix = ["https://", "http://", "www."].into_iter().find(|prefix| begins(prefix))?.len();
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b')' | b']' | b'<' | b'>' | b'"');
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    (length > prefix).then_some(length)
}

/// A token's normal form, which its hash is the hash of.
pub(crate) fn normal_form(token: &str) -> String {
    if link(token.as_bytes()).is_some() {
        return LINK.to_owned();
    }
    if token.chars().next().is_some_and(char::is_alphanumeric) {
        let mut form = String::with_capacity(token.len());
        token.chars().for_each(|c| each_folded(if c == '\u{2019}' { '\'' } else { c }, |folded| form.push(folded)));
        return form;
    }
    token.chars().take(LONGEST_RUN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scan(text: &str) -> Scan {
        let mut scan = Scan::default();
        scan.read(text);
        scan
    }

    fn tokens(text: &str) -> Vec<Token> {
        scan(text).tokens
    }

    fn counts(text: &str) -> Counts {
        scan(text).counts
    }

    fn forms(text: &str) -> Vec<String> {
        tokens(text).iter().map(|token| normal_form(&text[token.start as usize..token.end as usize])).collect()
    }

    #[test]
    fn a_text_falls_into_words_links_and_marks() {
        for (text, expected) in [
            ("", vec![]),
            (" \n\t\0", vec![]),
            ("Don't; I\u{2019}m 18.", vec!["don't", ";", "i'm", "18", "."]),
            ("'quoted' dogs' ends'", vec!["'", "quoted", "'", "dogs", "'", "ends", "'"]),
            ("Wow!!!!! what???", vec!["wow", "!!!", "what", "???"]),
            ("[see](https://example.org/a?b=c) www.example.com.", vec!["[", "see", "]", "(", "URL", ")", "URL"]),
            ("http:// www.", vec!["http", ":", "//", "www", "."]),
            (
                "NA\u{CF}VE \u{1F44F}\u{1F44F} \u{4F60}\u{597D}",
                vec!["na\u{EF}ve", "\u{1F44F}\u{1F44F}", "\u{4F60}\u{597D}"],
            ),
            // Devanagari: signs and a virama are of the word. A combining accent is too.
            (
                "\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940} x\u{325} \u{DF}\u{3A3}\u{3C2}",
                vec!["\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940}", "x\u{325}", "ss\u{3C3}\u{3C3}"],
            ),
            ("a_b*c*", vec!["a", "_", "b", "*", "c", "*"]),
        ] {
            assert_eq!(forms(text), expected, "{text:?}");
        }
    }

    #[test]
    fn counts_are_what_a_reader_would_count() {
        let text = "> quoted\n\nWhy NOT 42 percent?! See https://example.org/x \u{2026}\nIt\u{2019}s \u{201C}fine\u{201D}. Extraordinary";
        let counts = counts(text);
        assert_eq!((counts.quoted_lines, counts.line_breaks, counts.paragraph_breaks), (1, 3, 1));
        assert_eq!((counts.words, counts.shouted_words, counts.digits, counts.links), (9, 1, 2, 1));
        assert_eq!(
            (counts.question_marks, counts.exclamation_marks, counts.ellipses, counts.quotation_marks),
            (1, 1, 1, 2)
        );
        assert_eq!((counts.sentences, counts.long_words, counts.longest_word), (2, 1, 13));
        assert_eq!((counts.first, counts.last, counts.chars), (Some('>'), Some('y'), text.chars().count()));
    }

    proptest! {
        #[test]
        fn a_tokens_hash_is_that_of_its_normal_form(text in ".{0,120}|[a-cA-C'\u{2019}.!?\u{130}\u{DF}\u{3A3} ]{0,60}|(https?://|www\\.)[a-z)]{0,9}") {
            for token in tokens(&text) {
                let form = normal_form(&text[token.start as usize..token.end as usize]);
                let mut hash = Hash::new();
                hash.bytes(form.as_bytes());
                prop_assert_eq!(token.hash, hash.finish(), "{}", form);
            }
        }

        #[test]
        fn tokens_stand_in_order_and_cover_all_but_white_space(text in ".{0,120}") {
            let mut at = 0;
            for token in tokens(&text) {
                prop_assert!(text[at..token.start as usize].chars().all(|c| c.is_whitespace() || c.is_ascii_control()));
                prop_assert!(token.start < token.end);
                at = token.end as usize;
            }
            prop_assert!(text[at..].chars().all(|c| c.is_whitespace() || c.is_ascii_control()));
        }

        #[test]
        fn words_are_the_tokens_that_begin_like_one_in_their_normal_form(text in ".{0,120}|[a-cA-C'\u{2019}.!?\u{130}\u{DF} ]{0,60}|(a |https?://|www\\.)[a-z)]{0,9}") {
            let scan = scan(&text);
            let all = scan.tokens.iter().map(|token| &text[token.start as usize..token.end as usize]);
            let words: Vec<&str> = all.clone().filter(|token| normal_form(token) != LINK && token.chars().next().is_some_and(char::is_alphanumeric)).collect();
            prop_assert_eq!(scan.words.iter().map(|&index| all.clone().nth(index as usize).unwrap_or("")).collect::<Vec<_>>(), words.clone());
            prop_assert_eq!(scan.forms, words.iter().map(|word| normal_form(word) + " ").collect::<String>().into_bytes());
        }

        #[test]
        fn case_changes_no_token(text in "[a-zA-Z .,!']{0,80}") {
            let hashes = |text: &str| tokens(text).into_iter().map(|token| token.hash).collect::<Vec<_>>();
            prop_assert_eq!(hashes(&text), hashes(&text.to_uppercase()));
        }
    }
}
