//! How the comments of a file are written: options of every command that reads some.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use modstream_corpus::{Labels, Placeholders, ReadOptions};

use super::display::one_line;
use super::input;

const HEADING: &str = "How the file is written";
/// How many verdicts an error names.
const NAMED_VERDICTS: usize = 8;
/// How much of a verdict an error shows.
const MAX_VERDICT_CHARS: usize = 30;

/// What every command that reads comments takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FormatArgs {
    /// What separates the columns of a CSV: `,` `;` `|` or `tab` [default: a comma, or what a first line `sep=` says]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter, help_heading = HEADING)]
    pub(crate) delimiter: Option<u8>,
    /// The column, or field of JSON, that holds the comments [default: body]
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    pub(crate) text_column: Option<String>,
}

/// What every command that reads comments with verdicts takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LabelledArgs {
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// The column, or field of JSON, that holds the verdicts [default: removed]
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    pub(crate) label_column: Option<String>,
    /// The verdict that means removed; all others mean kept [default: 1, true, yes, removed]
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, help_heading = HEADING)]
    pub(crate) removed_value: Option<String>,
    /// A text that stands in place of one that is gone, beside `[removed]` and its kind; may be repeated
    #[arg(long = "placeholder", value_name = "TEXT", help_heading = HEADING)]
    pub(crate) placeholders: Vec<String>,
}

impl FormatArgs {
    /// How to read comments whose verdicts do not matter.
    pub(crate) fn options(&self) -> ReadOptions {
        let without = ReadOptions::without_labels();
        ReadOptions {
            delimiter: self.delimiter,
            text_column: self.text_column.clone().unwrap_or(without.text_column),
            labels: without.labels,
        }
    }
}

impl LabelledArgs {
    /// How to read comments with their verdicts.
    pub(crate) fn options(&self) -> ReadOptions {
        let column = self.label_column.clone().unwrap_or_else(|| Labels::default().column);
        ReadOptions {
            labels: Some(Labels { column, removed_value: self.removed_value.clone() }),
            ..self.format.options()
        }
    }

    /// Refuses files in which nothing was removed since no row has the value that was said to mean so.
    ///
    /// # Errors
    /// Where there is such a value, and `is_found` says that no row has it.
    pub(crate) fn check_removed_value<'a>(
        &self,
        is_found: bool,
        paths: impl IntoIterator<Item = &'a Path> + Clone,
    ) -> anyhow::Result<()> {
        let Some(value) = self.removed_value.as_ref().filter(|_| !is_found) else { return Ok(()) };
        let names: Vec<String> = paths.clone().into_iter().map(|path| one_line(&input::name(path))).collect();
        let column = self.label_column.clone().unwrap_or_else(|| Labels::default().column);
        let column = column.trim();
        let verdicts = self.verdicts(column, paths);
        let found = match verdicts.len() {
            // What came on standard input can't be read again.
            0 => String::new(),
            count => {
                let shown: Vec<String> = verdicts.into_iter().take(NAMED_VERDICTS).collect();
                format!("; it holds {}{}", shown.join(", "), if count > NAMED_VERDICTS { ", ..." } else { "" })
            }
        };
        anyhow::bail!(
            "{}: no row has `{}` in `{}`{found}; say the one that means removed: `--removed-value VALUE`",
            names.join(", "),
            one_line(value),
            one_line(column)
        )
    }

    /// Some of the values in this column.
    fn verdicts<'a>(&self, column: &str, paths: impl IntoIterator<Item = &'a Path>) -> BTreeSet<String> {
        let options = ReadOptions { text_column: column.to_owned(), ..self.format.options() };
        let files = paths.into_iter().filter(|path| !input::is_standard_input(path));
        let rows = files.filter_map(|path| input::comments(path, options.clone()).ok()).flatten();
        let values = rows.filter_map(|row| Some(row.ok()?.comment.body?.trim().to_owned()));
        let mut verdicts = BTreeSet::new();
        for value in values.filter(|value| !value.is_empty()) {
            verdicts.insert(one_line(&value.chars().take(MAX_VERDICT_CHARS).collect::<String>()));
            if verdicts.len() > NAMED_VERDICTS {
                break;
            }
        }
        verdicts
    }

    /// What stands in place of a text that is gone.
    pub(crate) fn placeholders(&self) -> Placeholders {
        Placeholders::and(&self.placeholders)
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" | "\t" => Ok(b'\t'),
        "," | ";" | "|" => Ok(text.as_bytes()[0]),
        _ => Err("a delimiter is `,` `;` `|` or `tab`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_a_character_that_people_use_or_the_name_of_one() {
        for (text, read) in [("tab", b'\t'), ("\\t", b'\t'), ("\t", b'\t'), (",", b','), (";", b';'), ("|", b'|')] {
            assert_eq!(delimiter(text), Ok(read), "{text}");
        }
        for text in ["", " ", "x", ";;", "\"", "\n"] {
            assert!(delimiter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_nobody_says_is_read_as_most_files_are() {
        assert_eq!(LabelledArgs::default().options(), ReadOptions::default());
        assert_eq!(FormatArgs::default().options(), ReadOptions::without_labels());
    }
}
