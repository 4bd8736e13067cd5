use std::ops::Range;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::Script;

use crate::look_alikes::{Buffers, in_one_script};
use crate::properties::{is_mark, is_overlay, is_unspaced, is_word, script};

pub(crate) const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
pub(crate) const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();
pub(crate) const NFD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfd();

/// Puts `to` in place of `out`, normalised; both live in memory, where writing never fails.
macro_rules! normalise {
    ($by:expr, $text:expr, $out:expr) => {{
        $out.clear();
        let _ = $by.normalize_to($text, $out);
    }};
}
pub(crate) use normalise;

/// A text with its letters and digits in one form, and where each stood before. Case, white space and all that is no word stay,
/// but for single characters that are a form of one of ASCII: `！` behind a Latin word. Behind Han or kana it is the usual form.
///
/// - Letters and digits are in NFKC: full width, mathematical and composed ones are plain.
/// - A letter of Latin, Greek or Cyrillic keeps its marks where all of them make one character with it (`é`, `ế`), and loses them
///   where they are piled up; what strikes it through or surrounds it goes alone. ASCII's other characters have no marks.
/// - The letters of a word are of one script, where those that are not look like some that are: `fоllowers` with a Cyrillic о.
///
/// Reading allocates nothing once texts as long were read.
#[derive(Clone, Debug, Default)]
pub struct Letters {
    text: String,
    /// The stretches that are written otherwise than before, in order.
    changed: Vec<Changed>,
    buffers: RunBuffers,
}

#[derive(Clone, Debug)]
struct Changed {
    now: Range<usize>,
    before: Range<usize>,
}

impl Letters {
    /// Reads `text`, in place of what was read before.
    pub fn read(&mut self, text: &str) {
        let Letters { text: out, changed, buffers } = self;
        out.clear();
        changed.clear();
        // Whether the character before is of a script without spaces, or one of its punctuation marks.
        let mut is_wide = false;
        let mut chars = text.char_indices().peekable();
        while let Some((start, first)) = chars.next() {
            let begins_word = is_word(first);
            // A word, or one other character, with the marks on it.
            let mut is_plain = first.is_ascii();
            let goes_on = |c: char| if begins_word { is_word(c) } else { is_mark(c) };
            while let Some((_, c)) = chars.next_if(|(_, c)| goes_on(*c)) {
                is_plain &= c.is_ascii();
            }
            let end = chars.peek().map_or(text.len(), |(at, _)| *at);
            let (run, begin) = (&text[start..end], out.len());
            if is_plain {
                out.push_str(run);
                is_wide = false;
                continue;
            }
            if begins_word {
                is_wide = run.chars().next_back().is_some_and(is_unspaced);
            } else if is_wide {
                out.push_str(run);
                continue;
            }
            out.push_str(buffers.one_form(run, begins_word));
            if out[begin..] != *run {
                changed.push(Changed { now: begin..out.len(), before: start..end });
            }
        }
    }

    /// The text that was read, in its one form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a stretch of [`text`](Letters::text) stood before. A word that is written otherwise now stood there whole.
    pub fn before(&self, stretch: Range<usize>) -> Range<usize> {
        let start = self.last(|changed| changed.now.start <= stretch.start);
        let end = self.last(|changed| changed.now.start < stretch.end);
        let start = start.map_or(stretch.start, |Changed { now, before }| match stretch.start.checked_sub(now.end) {
            Some(behind) => before.end + behind,
            None => before.start,
        });
        let end = end.map_or(stretch.end, |Changed { now, before }| before.end + stretch.end.saturating_sub(now.end));
        start..end
    }

    /// The last of the changed stretches that `begins`.
    fn last(&self, begins: impl Fn(&Changed) -> bool) -> Option<&Changed> {
        let count = self.changed.partition_point(begins);
        count.checked_sub(1).map(|last| &self.changed[last])
    }
}

#[derive(Clone, Debug, Default)]
struct RunBuffers {
    form: String,
    other: String,
    cluster: String,
    composed: String,
    look_alikes: Buffers,
}

impl RunBuffers {
    /// The one form of a word, or of another character with its marks.
    fn one_form(&mut self, run: &str, is_word: bool) -> &str {
        self.other.clear();
        if NFKC.is_normalized(run) {
            self.other.push_str(run);
        } else if is_word {
            self.compatible(run);
        } else {
            self.plain(run);
        }
        normalise!(NFC, &self.other, &mut self.form);
        self.strip_marks();
        if !is_word {
            return &self.form;
        }
        self.other.clear();
        in_one_script(&self.form, &mut self.other, &mut self.look_alikes);
        &self.other
    }

    /// Writes the characters of a word in their compatible forms, but for those that would break it, such as `½`.
    fn compatible(&mut self, word: &str) {
        for c in word.chars() {
            normalise!(NFKC, c.encode_utf8(&mut [0; 4]), &mut self.cluster);
            if self.cluster.chars().all(is_word) {
                self.other.push_str(&self.cluster);
            } else {
                self.other.push(c);
            }
        }
    }

    /// Writes another character, with its marks: as the one of ASCII that it is a form of, or as it is.
    fn plain(&mut self, run: &str) {
        normalise!(NFKC, run, &mut self.cluster);
        let is_one = self.cluster.len() == 1;
        self.other.push_str(if is_one { &self.cluster } else { run });
    }

    /// Takes marks off that their letters do not have.
    fn strip_marks(&mut self) {
        if !self.form.chars().any(is_mark) {
            return;
        }
        self.other.clear();
        let mut chars = self.form.chars().peekable();
        while let Some(base) = chars.next() {
            self.cluster.clear();
            let mut is_marked = false;
            if chars.peek().copied().is_some_and(is_mark) && sheds_marks(base) {
                normalise!(NFD, base.encode_utf8(&mut [0; 4]), &mut self.cluster);
                while let Some(mark) = chars.next_if(|c| is_mark(*c)) {
                    if !is_overlay(mark) {
                        self.cluster.push(mark);
                        is_marked = true;
                    }
                }
            }
            if !is_marked {
                self.other.push(base);
                continue;
            }
            // A capital may lack the form that the small letter has.
            let rest = self.cluster.chars().skip(1);
            let bare = self.cluster.chars().next().unwrap_or(base);
            self.composed.clear();
            self.composed.extend(NFC.normalize_iter(bare.to_lowercase().chain(rest)));
            if self.composed.chars().nth(1).is_none() {
                self.other.push_str(&self.cluster);
            } else {
                self.other.push(bare);
            }
        }
        normalise!(NFC, &self.other, &mut self.form);
    }
}

/// Whether a character loses marks that make no one character with it.
fn sheds_marks(base: char) -> bool {
    base.is_ascii() || script(base).is_some_and(|it| [Script::Latin, Script::Greek, Script::Cyrillic].contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Letters {
        let mut letters = Letters::default();
        letters.read(text);
        letters
    }

    #[test]
    fn letters_and_digits_have_one_form_and_all_else_stays() {
        for (text, expected) in [
            ("plain\n\nTEXT 12", "plain\n\nTEXT 12"),
            ("\u{FF26}\u{FF4F}\u{FF4C}\u{FF01}\u{FF01} \u{1D41B}\u{1D428}\u{1D7D9}", "Fol!! bo1"),
            ("cafe\u{301} caf\u{E9}", "caf\u{E9} caf\u{E9}"),
            ("f\u{336}o\u{336}l\u{336}\u{336}\u{20DD} \u{336}\u{E9}\u{336}", "fol \u{E9}"),
            ("o\u{301}\u{346}\u{31B}k \u{1EBF} e\u{302}\u{301}", "ok \u{1EBF} \u{1EBF}"),
            ("\u{1EA}\u{30C}x J\u{30C} \u{1F0}", "Ox J\u{30C} \u{1F0}"),
            ("\u{437}\u{430}\u{301}\u{43C}\u{43E}\u{43A}", "\u{437}\u{430}\u{43C}\u{43E}\u{43A}"),
            ("f\u{43E}llowers", "followers"),
            (
                "\u{2026}\u{2019}\u{201C}\u{2014}\u{1F44D}\u{1F3FD} 10\u{BD}",
                "\u{2026}\u{2019}\u{201C}\u{2014}\u{1F44D}\u{1F3FD} 10\u{BD}",
            ),
            ("\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940}", "\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940}"),
            ("= \u{2260} =\u{338}", "= \u{2260} \u{2260}"),
            ("\u{7814}\u{7A76}\u{FF1F}\u{FF01} \u{FF1F}", "\u{7814}\u{7A76}\u{FF1F}\u{FF01} ?"),
        ] {
            assert_eq!(read(text).text(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_word_is_found_where_it_stood() {
        let text = "a f\u{43E}ll\u{43E}wers \u{FF01}\u{FF01} b\u{301}c d";
        let letters = read(text);
        let spelling = |word: &str| {
            let at = letters.text().find(word).expect("it is there");
            &text[letters.before(at..at + word.len())]
        };
        assert_eq!(letters.text(), "a followers !! bc d");
        for (word, spelled) in [
            ("a", "a"),
            ("followers", "f\u{43E}ll\u{43E}wers"),
            ("low", "f\u{43E}ll\u{43E}wers"),
            ("!!", "\u{FF01}\u{FF01}"),
            ("bc", "b\u{301}c"),
            ("d", "d"),
            ("a followers !! bc d", text),
        ] {
            assert_eq!(spelling(word), spelled, "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_every_stretch_stood_somewhere(text in ".{0,80}|[a-c\u{43E}\u{301}\u{336}\u{FF01}\u{E9} =\u{338}\u{BD}]{0,40}") {
            let letters = read(&text);
            let ends: Vec<usize> = letters.text().char_indices().map(|(at, _)| at).chain([letters.text().len()]).collect();
            for pair in ends.windows(2) {
                prop_assert!(text.get(letters.before(pair[0]..pair[1])).is_some());
            }
            prop_assert_eq!(letters.before(0..letters.text().len()).end, if letters.text().is_empty() { 0 } else { text.len() });
        }

        #[test]
        fn ascii_stays(text in "[ -~\n]{0,80}") {
            let letters = read(&text);
            prop_assert_eq!(letters.text(), text.as_str());
        }

        #[test]
        fn read_once_is_read(text in ".{0,60}|[a-cA\u{43E}\u{438}\u{301}\u{308}\u{336}\u{FF01}\u{E9}\u{1EA}\u{130} ]{0,30}") {
            let once = read(&text);
            let twice = read(once.text());
            prop_assert_eq!(twice.text(), once.text());
        }
    }
}
