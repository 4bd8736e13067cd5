//! Words of mixed script: letters that look like those of another script, in the word's own.
//!
//! The skeletons of [UTS #39](https://www.unicode.org/reports/tr39/#Confusable_Detection) say what looks alike. A skeleton is
//! for comparison alone (that of `m` is `rn`), so a letter is replaced by the letter of the word's script that has the same
//! one, and all others stay.

use std::collections::HashMap;
use std::sync::LazyLock;

use icu_properties::props::Script;
use unicode_security::skeleton;

use crate::properties::{is_unspaced, script};

/// The letters of a script by their skeletons.
struct Alphabet {
    script: Script,
    /// The small and the capital letter that have the skeleton.
    letters: HashMap<String, [Option<char>; 2]>,
}

/// The scripts whose letters others imitate.
static ALPHABETS: LazyLock<[Alphabet; 3]> = LazyLock::new(|| {
    [
        Alphabet::new(Script::Latin, ('a'..='z').chain('A'..='Z')),
        Alphabet::new(Script::Cyrillic, ('\u{430}'..='\u{45F}').chain('\u{400}'..='\u{42F}')),
        Alphabet::new(Script::Greek, ('\u{3B1}'..='\u{3C9}').chain('\u{391}'..='\u{3A9}')),
    ]
});

impl Alphabet {
    fn new(script: Script, all: impl Iterator<Item = char>) -> Self {
        let mut letters: HashMap<String, [Option<char>; 2]> = HashMap::new();
        for letter in all.filter(|c| c.is_alphabetic()) {
            let skeleton: String = skeleton(letter.encode_utf8(&mut [0; 4])).collect();
            letters.entry(skeleton).or_default()[usize::from(letter.is_uppercase())].get_or_insert(letter);
        }
        Alphabet { script, letters }
    }

    /// The letter here that looks like `letter`, of the same case where there is one.
    fn like(&self, letter: char, buffer: &mut String) -> Option<char> {
        buffer.clear();
        buffer.extend(skeleton(letter.encode_utf8(&mut [0; 4])));
        let [small, capital] = *self.letters.get(buffer.as_str())?;
        if letter.is_uppercase() { capital.or(small) } else { small.or(capital) }
    }

    /// Writes a word in this script alone, where all of its letters can be.
    fn write(&self, word: &str, out: &mut String, buffer: &mut String) -> bool {
        out.clear();
        for c in word.chars() {
            let written = match script(c) {
                None => c,
                Some(own) if own == self.script => {
                    // Latin has letters of its own that look like ASCII's, such as those of phonetics.
                    let is_copy = own == Script::Latin && !c.is_ascii();
                    if is_copy { self.like(c, buffer).unwrap_or(c) } else { c }
                }
                Some(_) => match self.like(c, buffer) {
                    Some(like) => like,
                    None => return false,
                },
            };
            out.push(written);
        }
        true
    }
}

/// Buffers that are used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers {
    written: String,
    skeleton: String,
    word: String,
}

/// Writes the words of `text`, a run of letters, digits and marks, into `out`: those of mixed script in one, where all of a
/// word's letters look like letters of it.
pub(crate) fn in_one_script(text: &str, out: &mut String, buffers: &mut Buffers) {
    let Buffers { word, .. } = buffers;
    let mut word = std::mem::take(word);
    // A script without spaces ends no word of another by a space either.
    for c in text.chars() {
        if is_unspaced(c) {
            flush(&mut word, out, buffers);
            out.push(c);
        } else {
            word.push(c);
        }
    }
    flush(&mut word, out, buffers);
    buffers.word = word;
}

/// Writes a word: in Latin, where it has a Latin letter and all others look like some; else in the script of most of its
/// letters, where that can be; else as it is.
fn flush(word: &mut String, out: &mut String, buffers: &mut Buffers) {
    let Buffers { written, skeleton, .. } = buffers;
    let in_one = !word.is_ascii() && targets(word).any(|alphabet| alphabet.write(word, written, skeleton));
    out.push_str(if in_one { written } else { word });
    word.clear();
}

fn targets(word: &str) -> impl Iterator<Item = &'static Alphabet> {
    let (mut of_each, mut letters) = ([0_usize; 3], 0);
    for script in word.chars().filter_map(script) {
        letters += 1;
        for (count, alphabet) in of_each.iter_mut().zip(&*ALPHABETS) {
            *count += usize::from(alphabet.script == script);
        }
    }
    let is_target = move |(count, alphabet): (usize, &Alphabet)| match alphabet.script {
        Script::Latin => count > 0,
        _ => count * 2 > letters && count < letters,
    };
    of_each.into_iter().zip(&*ALPHABETS).filter(move |pair| is_target(*pair)).map(|(_, alphabet)| alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(word: &str) -> String {
        let mut out = String::new();
        in_one_script(word, &mut out, &mut Buffers::default());
        out
    }

    #[test]
    fn a_word_of_mixed_script_is_written_in_one_where_it_can_be() {
        for (word, expected) in [
            // Cyrillic and Greek o, Cyrillic B and I in capitals, Armenian o.
            ("f\u{43E}ll\u{3BF}wers", "followers"),
            ("\u{412}UY", "BUY"),
            ("W\u{406}N", "WIN"),
            ("f\u{585}llowers2", "followers2"),
            // Most letters are Cyrillic, and none of these look Latin.
            ("\u{43F}p\u{438}\u{432}e\u{442}", "\u{43F}\u{440}\u{438}\u{432}\u{435}\u{442}"),
            // Phonetic a and g are Latin.
            ("\u{251}ma\u{261}e", "amage"),
            // A word between Han letters.
            ("\u{4E70}f\u{43E}llowers\u{5427}", "\u{4E70}followers\u{5427}"),
        ] {
            assert_eq!(written(word), expected, "{word}");
        }
    }

    #[test]
    fn other_words_stay() {
        for word in [
            "followers",
            "na\u{EF}ve",
            "\u{1EBF}",
            "stra\u{DF}e",
            "\u{441}\u{43E}\u{441}\u{43E}",
            // Nothing Latin looks like it, and it is not most of the word.
            "\u{44F}abc",
            "\u{394}t",
            "\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940}",
        ] {
            assert_eq!(written(word), word, "{word}");
        }
    }
}
