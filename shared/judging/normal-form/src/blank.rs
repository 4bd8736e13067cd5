use crate::properties::{is_ignorable, reads_as_letter_or_digit};
use crate::transport::{MOST_LAYERS, undo_layer};

/// Whether a text says anything: has a letter or a digit outside of links and of the pictures that Reddit inserts. A lone emoji
/// or link does not, and no more does a picture without words.
///
/// Where it is not plain that something is a link or a picture, it is text: a text too many is judged, and none is hidden.
pub fn has_text(text: &str) -> bool {
    // Most texts begin with a letter.
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && link(text).is_none() {
        return true;
    }
    if !text.contains(['&', '<', '\\']) {
        return says_something(text);
    }
    let (mut undone, mut is_changed) = undo_visibly(text);
    for _ in 1..MOST_LAYERS {
        if !is_changed {
            break;
        }
        (undone, is_changed) = undo_visibly(&undone);
    }
    says_something(&undone)
}

/// The text with one layer of escapes undone, and whether there was one. What has no glyph ends a link, so it is kept.
fn undo_visibly(text: &str) -> (String, bool) {
    let (mut undone, mut part) = (String::with_capacity(text.len()), String::new());
    let mut is_changed = false;
    for stretch in text.split_inclusive(is_ignorable) {
        let last = stretch.chars().next_back().filter(|c| is_ignorable(*c));
        let shown = &stretch[..stretch.len() - last.map_or(0, char::len_utf8)];
        is_changed |= undo_layer(shown, &mut part);
        undone.push_str(&part);
        undone.extend(last);
    }
    (undone, is_changed)
}

fn says_something(mut rest: &str) -> bool {
    while let Some(c) = rest.chars().next() {
        if let Some(length) = picture(rest).or_else(|| link(rest)) {
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        // A digit on a key is a picture too.
        let is_key = || c.is_ascii_digit() && rest.trim_start_matches('\u{FE0F}').starts_with('\u{20E3}');
        if reads_as_letter_or_digit(c) && !is_key() {
            return true;
        }
    }
    false
}

/// The length of the picture that a text begins with, and whose word an editor wrote, or nobody: `![gif](giphy|id)`,
/// `![image](https://example.org/a.png)`.
///
/// Other pictures need no rule: their words are text, and their target is a link. Neither loop looks behind a bracket, so a text
/// of nothing but beginnings is read once.
fn picture(text: &str) -> Option<usize> {
    let (words, behind) = text.strip_prefix("![")?.split_at(text[2..].find(['[', ']', '\n'])?);
    let is_blank = matches!(words, "gif" | "img" | "image") || !words.contains(reads_as_letter_or_digit);
    let target = behind.strip_prefix("](").filter(|_| is_blank)?;
    let end = link(target).or_else(|| media(target))?;
    target[end..].starts_with(')').then(|| text.len() - target.len() + end + 1)
}

/// The length of the name of a picture at Reddit that a text begins with.
fn media(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '|'))?;
    let is_id = |id: &str| !id.is_empty() && !id.contains('_');
    let mut parts = text[..end].split('|');
    let is_media = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
        (id, None, None, None) => is_upload(id),
        ("giphy", Some(id), None | Some("downsized"), None) => is_id(id),
        ("emote", Some("free_emotes_pack"), Some(emote), None) => !emote.is_empty(),
        ("emote", Some(subreddit), Some(emote), None) => {
            subreddit.strip_prefix("t5_").is_some_and(is_id) && is_id(emote)
        }
        _ => false,
    };
    is_media.then_some(end)
}

/// Whether this names a picture that was uploaded, such as `tjy3ibkz5dfd1`: as many small letters and digits as Reddit's names have,
/// with a digit among them, since words have none.
fn is_upload(id: &str) -> bool {
    (11..=14).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && id.bytes().any(|byte| byte.is_ascii_digit())
}

/// The length of the link that a text begins with: a host, and behind its `/`, `?` or `#` the characters of a URL. Those are of
/// ASCII ([RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2)), so a word of another script, or one behind what has no
/// glyph, is none of it. Brackets that close a Markdown link are left out.
fn link(text: &str) -> Option<usize> {
    let begins =
        |with: &&str| text.as_bytes().get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()));
    let prefix =
        ["https://www.", "http://www.", "https://", "http://", "www."].iter().find(|prefix| begins(prefix))?.len();
    let length_of =
        |from: usize, belongs: fn(char) -> bool| text[from..].find(|c| !belongs(c)).unwrap_or(text.len() - from);
    let mut end = prefix + length_of(prefix, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    let host = text[prefix..end].trim_matches('.');
    // A single word is hardly a host.
    if !host.contains('.') && !host.eq_ignore_ascii_case("localhost") {
        return None;
    }
    if text[end..].starts_with(':') {
        let digits = length_of(end + 1, |c| c.is_ascii_digit());
        // Port 65535 is the last.
        end += if (1..=5).contains(&digits) { 1 + digits } else { 0 };
    }
    if text[end..].starts_with(['/', '?', '#']) {
        end += length_of(end, |c| c.is_ascii_alphanumeric() || "-._~:/?#@!$&'(*+,;=%".contains(c));
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_or_a_digit_says_something() {
        for text in [
            "a",
            "7",
            "\u{7814}",
            " \u{E9}",
            "look: https://example.org",
            "[here](https://example.org)",
            "&#111;",
            "!!! \u{1F44D} ok",
        ] {
            assert!(has_text(text), "{text:?}");
        }
    }

    #[test]
    fn emoji_pictures_links_and_marks_say_nothing() {
        for text in [
            "",
            " \n",
            "\u{1F44D}",
            "\u{1F44D}\u{1F3FD}\u{2764}\u{FE0F}",
            "1\u{FE0F}\u{20E3}",
            "\u{2139}\u{FE0F}",
            "\u{1F1E9}\u{1F1EA}",
            "...?!",
            "&#128077; &nbsp;",
            "&#x200B;",
            "&amp;#x200B;",
            "\u{1F602}\u{1F602} &amp;#x200B; &amp;nbsp; &amp;amp;#128405;",
            "\u{1}\0 &#1;",
            "![gif](giphy|abc123)",
            "![gif](giphy|abc123|downsized)",
            "![](giphy|abc123)",
            "![img](tjy3ibkz5dfd1)",
            "![image](https://example.org/a.png?b=1&amp;c=2) ![gif](https://example.org/a.gif)",
            "![img](emote|t5_2qh1i|1234) ![img](emote|free_emotes_pack|joy)",
            "![](https://example.org/c.png) ![\u{1F600}](https://example.org/c.png)",
            "https://example.org/a?b=1&amp;c=2,3",
            "HTTPS://Example.org:8080/ http://localhost:3000 www.example.org?a#b",
            "https://example.org. http://example.org, (www.example.org)!",
            "<https://example.org>",
            "[](https://example.org)",
            "<U+1F44D>",
            // A Hangul filler is a letter without a glyph, and the blank pattern a Braille one.
            "\u{3164}\u{2800}",
        ] {
            assert!(!has_text(text), "{text:?}");
        }
    }

    #[test]
    fn a_picture_hides_no_words() {
        for text in [
            "![ I will find you [x](y)",
            "![you idiot](https://example.org/a.png)",
            "![7](giphy|abc123)",
            "![\n\nyou](giphy|abc123)",
            "![](you idiot)",
            "![img](youareanidiot)",
            "![img](1diot)",
            "![image](https://example.org/a.png you)",
            "![image](https://example.org/a.png",
            "![Image 7](https://example.org/a.png)",
            "![](you-idiot)",
            "![](https://example.org/a.png \"you idiot\")",
            "![gif](giphy|you_idiot)",
            "![gif](giphy|abc|you)",
            "![img](emote|you|idiot)",
            "![gif](giphy|abc123",
            "![gif](giphy|abc123)you",
        ] {
            assert!(has_text(text), "{text:?}");
        }
    }

    #[test]
    fn a_link_hides_no_words() {
        for text in [
            "https://example.org\u{200B}you",
            "https://example.org/\u{200B}you &amp;",
            "https://example.org/&#x200B;you",
            "https://example.org/&amp;#x200B;you &amp;amp;amp;",
            "https://example.org/&amp;amp;#1;you",
            "&amp;#111;",
            "https://example.org/\u{2060}you <",
            "https://example.org/\u{4F60}",
            "https://example.org/\u{3001}you",
            "https://example.org/|you",
            "https://example.org,you-idiot",
            "https://example.org:you",
            "https://example.org:8080you",
            "https://example.org_you",
            "http://x,you-idiot",
            "http://you-idiot",
            "http://you.",
            "http://you@example.org",
            "http://you_idiot.org",
            "www.you",
            "https://www.you",
        ] {
            assert!(has_text(text), "{text:?}");
        }
    }

    #[test]
    fn symbols_that_spell_words_are_text() {
        for text in [
            "\u{24D5}\u{24E4}\u{24D2}\u{24DA}",
            "\u{1F130}",
            "\u{1F150}",
            "\u{1F170}\u{FE0F}",
            "\u{1F175}",
            "\u{2813}\u{280A}",
            "\u{249C}",
            "k\u{20E3}",
            "\u{1F44D} \u{24E8}",
        ] {
            assert!(has_text(text), "{text:?}");
        }
        for text in ["\u{1F1EB}\u{1F1F7}", "\u{1F197}", "\u{2122}\u{FE0F}", "\u{1F469}\u{200D}\u{1F692}"] {
            assert!(!has_text(text), "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_read_once() {
        // It takes a second, and minutes where each beginning is read to the end.
        let began = std::time::Instant::now();
        for part in ["![", "![](", "![](giphy|", "![](https://example.org/", "![]", "1\u{FE0F}\u{20E3}", "&#x200B;!["] {
            let text = part.repeat(500_000 / part.len());
            assert_eq!(has_text(&text), part.contains("giphy"), "{part}");
        }
        assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    }
}
