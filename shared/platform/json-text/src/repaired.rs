use crate::scalar::MAX_EXACT_FLOAT;

/// The same text with what serde_json cannot read put right, in time that grows with its length; `None` where there is nothing
/// to put right.
///
/// - Half a surrogate pair, as in `"\ud83d"`, becomes U+FFFD. JSON's grammar allows it; no text holds it.
/// - `NaN`, `Infinity` and `-Infinity`, which Python writes, become `null`.
/// - A number that neither an `i64`, nor a `u64`, nor a float that counts by ones holds becomes a text with its digits: ids are
///   compared, so none may be lost.
/// - Any other number that is no whole one, such as `12.0`, `-0` and `1e3`, becomes a text, as it is written, where `is_text` says
///   that its key holds one. It is asked by the key and how deep its object lies; the text's own object lies 1 deep.
///
/// What is wrong in another way stays so.
pub fn repaired(text: &str, is_text: impl Fn(usize, &str) -> bool) -> Option<String> {
    let mut repair = Repair { from: text, copied: 0, to: String::new() };
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut depth = 0_usize;
    // The text behind which nothing but a colon and blanks came since.
    let mut key = None;
    while let Some(&byte) = bytes.get(at) {
        let begin = at;
        at = match byte {
            b'"' => repair.text(at + 1),
            _ if is_of_word(byte) => {
                let name = || serde_json::from_str::<String>(key?).ok();
                repair.word(at, || name().is_some_and(|name| is_text(depth, &name)))
            }
            _ => at + 1,
        };
        key = match byte {
            b'"' => text.get(begin..at),
            b'{' | b'}' => {
                depth = if byte == b'{' { depth + 1 } else { depth.saturating_sub(1) };
                None
            }
            b':' => key,
            _ if byte.is_ascii_whitespace() => key,
            _ => None,
        };
    }
    if repair.copied == 0 {
        return None;
    }
    repair.to.push_str(&text[repair.copied..]);
    Some(repair.to)
}

/// What numbers, `true`, `null` and `NaN` are made of.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

struct Repair<'a> {
    from: &'a str,
    /// How many bytes of `from` are in `to`, as they were or repaired.
    copied: usize,
    to: String,
}

impl Repair<'_> {
    /// Puts something else in the place of some bytes. Both ends stand beside ASCII.
    fn replace(&mut self, start: usize, end: usize, by: &str) {
        self.to.push_str(&self.from[self.copied..start]);
        self.to.push_str(by);
        self.copied = end;
    }

    /// Repairs the text that begins here, behind its quotation mark; where it ends.
    fn text(&mut self, mut at: usize) -> usize {
        let bytes = self.from.as_bytes();
        while let Some(&byte) = bytes.get(at) {
            at += match byte {
                b'"' => return at + 1,
                b'\\' => match (unit(bytes, at), unit(bytes, at + 6)) {
                    (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
                    (Some(0xD800..=0xDFFF), _) => {
                        self.replace(at, at + 6, "\\ufffd");
                        6
                    }
                    _ => 2,
                },
                _ => 1,
            };
        }
        at
    }

    /// Repairs the number or word that begins here; where it ends.
    fn word(&mut self, start: usize, holds_text: impl FnOnce() -> bool) -> usize {
        let bytes = self.from.as_bytes();
        let end = start + bytes[start..].iter().take_while(|byte| is_of_word(**byte)).count();
        let word = &self.from[start..end];
        match word {
            "NaN" | "Infinity" | "-Infinity" => self.replace(start, end, "null"),
            word if is_too_long(word) || is_fraction(word) && holds_text() => {
                self.replace(start, end, &format!("\"{word}\""));
            }
            _ => {}
        }
        end
    }
}

/// The UTF-16 unit of an escape such as `\ud83d`, if one begins here.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16))
}

/// Whether it is a number of JSON, which has no `+1`, `.5`, `5.` and `007`, and none that serde_json reads as an integer.
fn is_fraction(word: &str) -> bool {
    let is_number = || serde_json::from_str::<f64>(word).is_ok();
    (word == "-0" || !is_integer(word)) && is_number()
}

fn is_integer(word: &str) -> bool {
    word.parse::<i64>().is_ok() || word.parse::<u64>().is_ok()
}

fn is_too_long(word: &str) -> bool {
    let begins = word.strip_prefix('-').unwrap_or(word).starts_with(|first: char| first.is_ascii_digit());
    begins && !is_integer(word) && word.parse().is_ok_and(|number: f64| number.abs() >= MAX_EXACT_FLOAT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn repaired(text: &str) -> Option<String> {
        super::repaired(text, |depth, key| depth < 3 && key == "id")
    }

    fn read(text: &str) -> Value {
        let repaired = repaired(text).unwrap_or_else(|| panic!("{text} is not repaired"));
        serde_json::from_str(&repaired).unwrap_or_else(|error| panic!("{text} became {repaired}: {error}"))
    }

    #[test]
    fn half_a_surrogate_pair_becomes_one_replacement_character_and_pairs_stay() {
        for (text, meant) in [
            (r#""\ud83d""#, "\u{FFFD}"),
            (r#""\uDE00 x""#, "\u{FFFD} x"),
            (r#""\ud83d\ud83d\ude00\ude00""#, "\u{FFFD}😀\u{FFFD}"),
            (r#""\ud83dx\ude00""#, "\u{FFFD}x\u{FFFD}"),
            (r#""\ud83d\n\"\\\u00e9é""#, "\u{FFFD}\n\"\\éé"),
            // The backslash is escaped, so what follows it is text.
            (r#""\\ud83d \ud83d""#, "\\ud83d \u{FFFD}"),
        ] {
            assert_eq!(read(text), meant, "{text}");
        }
        assert_eq!(read(r#"{"\ud83d":{"é":["\udc00"]}}"#), json!({ "\u{FFFD}": { "é": ["\u{FFFD}"] } }));
    }

    #[test]
    fn what_no_number_holds_becomes_text_and_what_is_none_null() {
        for (text, meant) in [
            ("123456789012345678901234567890", json!("123456789012345678901234567890")),
            ("[1,-9223372036854775809]", json!([1, "-9223372036854775809"])),
            ("1234567890123456789.0", json!("1234567890123456789.0")),
            ("1e400", json!("1e400")),
            ("{\"a\":NaN,\"b\":-Infinity,\"c\":\"NaN\"}", json!({ "a": null, "b": null, "c": "NaN" })),
        ] {
            assert_eq!(read(text), meant, "{text}");
        }
    }

    #[test]
    fn a_number_where_a_text_is_meant_is_taken_as_it_is_written() {
        for number in ["12.0", "12.50", "-0", "1e3", "1E+3", "-1.0e-07", "123456789012345678901234567890"] {
            for text in [
                format!(r#"{{"id":{number},"score":1.0}}"#),
                format!("{{\"a\":[1.0,{{\"\\u0069d\" :\n{number} ,\"score\":1.0}}]}}"),
            ] {
                let read = read(&text);
                let object = if text.contains('[') { &read["a"][1] } else { &read };
                assert_eq!(*object, json!({ "id": number, "score": 1.0 }), "{text}");
            }
        }
        for text in [
            r#"{"score":1.0,"a":"id","b":1.0,"id":"1.0"}"#,
            r#"["id",1.0]"#,
            r#"{"id":[1.0,2.0]}"#,
            r#"{"id":{"id":{"id":1.0}}}"#,
            r#"{"id":true,"x":{"id":null}}"#,
            r#"{"id":12,"x":{"id":-12}}"#,
            r#"{"id":007}"#,
            r#"{"id":+1}"#,
            r#"{"id":1.}"#,
        ] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }

    #[test]
    fn what_can_be_read_or_is_wrong_in_another_way_stays() {
        for text in [
            r#"{"a":"\ud83d\ude00 \\ud83d NaN 1e400","b":[18446744073709551615,-9223372036854775808,0.1234567890123456789,1e15]}"#,
            "",
            "\"",
            "\"\\",
            "\"\\u",
            "\"\\ud8\"",
            "\"\\ud83",
            "\"\\u+d83\"",
            "nan",
            "+1e400",
            "-",
            ".1e400",
            "{\"a\":",
            "é",
        ] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }

    /// A text of UTF-16 units, each written as an escape or, where it is a character, as it is.
    fn escaped() -> impl Strategy<Value = (String, String)> {
        let unit = prop_oneof![0xD800..=0xDFFF_u16, 0xD83D..=0xD83E_u16, 0xDE00..=0xDE01_u16, any::<u16>()];
        prop::collection::vec((unit, any::<bool>()), 0..12).prop_map(|units| {
            let mut written = String::new();
            for (unit, plain) in &units {
                match char::from_u32((*unit).into()) {
                    Some(char) if *plain && !char.is_control() && !"\"\\".contains(char) => written.push(char),
                    _ => written += &format!("\\u{unit:04x}"),
                }
            }
            let units: Vec<u16> = units.into_iter().map(|(unit, _)| unit).collect();
            (format!("\"{written}\""), String::from_utf16_lossy(&units))
        })
    }

    proptest! {
        #[test]
        fn any_escapes_are_read_as_utf16_is((written, meant) in escaped()) {
            let text = repaired(&written).unwrap_or(written);
            prop_assert_eq!(serde_json::from_str::<String>(&text).expect("JSON"), meant);
        }

        #[test]
        fn any_text_ends_without_a_panic_and_is_repaired_once(text in r#"["\\ud83e0-9NaInfity{}:,.\-é]{0,40}"#) {
            if let Some(once) = repaired(&text) {
                prop_assert_eq!(repaired(&once), None);
            }
        }
    }
}
