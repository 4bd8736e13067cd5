//! Text in lines.

pub(super) use plain_text::one_line;

/// The beginning of a text: at most `most` characters, and whole words where they are no longer than the cut.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(3)).collect();
    let words = kept.rfind(' ').filter(|at| *at > kept.len() / 2).map_or(kept.as_str(), |at| &kept[..at]);
    format!("{}...", words.trim_end())
}

/// Adds words in lines of at most `width` characters, each behind a prefix.
pub(super) fn wrap(to: &mut String, text: &str, first: &str, rest: &str, width: usize) {
    let mut line = first.to_owned();
    let mut used = line.chars().count();
    let mut is_blank = true;
    let end_line = |to: &mut String, line: &mut String, used: &mut usize| {
        to.push_str(line.trim_end());
        to.push('\n');
        rest.clone_into(line);
        *used = rest.chars().count();
    };
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let blank = usize::from(!is_blank);
            if used + blank + word.len() <= width {
                line.extend((!is_blank).then_some(' '));
                line.extend(&word);
                used += blank + word.len();
                is_blank = false;
                break;
            }
            if is_blank {
                // Longer than a line.
                let rest = word.split_off(width.saturating_sub(used).max(1));
                line.extend(&word);
                word = rest;
            }
            end_line(to, &mut line, &mut used);
            is_blank = true;
        }
    }
    if !is_blank {
        end_line(to, &mut line, &mut used);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_keeps_whole_words_where_there_are_some() {
        assert_eq!(cut("one two three", 13), "one two three");
        assert_eq!(cut("one two three", 12), "one two...");
        assert_eq!(cut("onetwothree", 8), "onetw...");
    }

    proptest! {
        #[test]
        fn wrapped_lines_fit_and_hold_every_character(text in "\\PC{0,200}", width in 8..40_usize) {
            let mut wrapped = String::new();
            wrap(&mut wrapped, &text, "> ", "| ", width);
            for (number, line) in wrapped.lines().enumerate() {
                prop_assert!(line.chars().count() <= width, "{line:?}");
                let prefix = if number == 0 { '>' } else { '|' };
                prop_assert!(line.starts_with(prefix));
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let kept: String = wrapped.lines().map(|line| letters(&line[1..])).collect();
            prop_assert_eq!(kept, letters(&text));
        }
    }
}
