use modstream_events::MAX_MODERATOR_CHARS;
use normal_form::composed;

/// A text that names no moderator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoModerator {
    /// The text is empty.
    #[error("say who you are: a short name, which need not be your real one")]
    Empty,
    /// The name is too long.
    #[error("a name of {chars} characters is too long: use at most {MAX_MODERATOR_CHARS}")]
    TooLong {
        /// The name's length in characters.
        chars: usize,
    },
    /// The name has characters that can't be seen.
    #[error("the name has characters that can't be seen: use letters, digits, spaces and signs")]
    Unprintable,
}

/// A moderator's name as decisions hold it: a pseudonym of 1 to 40 characters in one line, accents composed (NFC).
///
/// # Errors
/// Where the text is no such name.
pub fn moderator(text: &str) -> Result<String, NoModerator> {
    let name = composed(text.trim());
    let chars = name.chars().count();
    if chars == 0 {
        return Err(NoModerator::Empty);
    }
    if chars > MAX_MODERATOR_CHARS {
        return Err(NoModerator::TooLong { chars });
    }
    // Joiners too: in a name they only hide a difference.
    let hidden = |c: char| {
        plain_text::unseen(c).is_some()
            || c.is_control()
            || matches!(c, '\u{200C}' | '\u{200D}' | '\u{2028}' | '\u{2029}')
    };
    if name.chars().any(hidden) { Err(NoModerator::Unprintable) } else { Ok(name.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_can_be_seen() {
        assert_eq!(moderator("  Zoë O'Hara \n"), Ok("Zoë O'Hara".to_owned()));
        assert_eq!(moderator("Zoe\u{308}"), moderator("Zo\u{EB}"));
        assert_eq!(moderator(&"ä".repeat(40)), Ok("ä".repeat(40)));
        assert_eq!(moderator(&"ä".repeat(41)), Err(NoModerator::TooLong { chars: 41 }));
        assert_eq!(moderator(" \t"), Err(NoModerator::Empty));
        for hidden in
            ["a\u{202E}b", "a\nb", "a\u{0}", "\u{200B}", "a\u{FEFF}b", "a\u{200D}b", "a\u{2028}b", "a\u{E0041}"]
        {
            assert_eq!(moderator(hidden), Err(NoModerator::Unprintable), "{hidden:?}");
        }
    }
}
