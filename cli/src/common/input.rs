//! What a command reads: a file, or standard input, which is called `-`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::Context as _;
use modstream_corpus::{OpenError, ReadOptions, Reader};

use super::usage::Usage;

/// How errors name standard input.
pub(crate) const STANDARD_INPUT: &str = "standard input";

/// Whether a path names standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// How errors name what a path leads to.
pub(crate) fn name(path: &Path) -> String {
    if is_standard_input(path) { STANDARD_INPUT.to_owned() } else { path.display().to_string() }
}

/// Refuses to read standard input more than once.
///
/// # Errors
/// Where `-` stands more than once among `paths`.
pub(crate) fn check_read_once<'a>(paths: impl IntoIterator<Item = &'a Path>) -> anyhow::Result<()> {
    if paths.into_iter().filter(|path| is_standard_input(path)).count() > 1 {
        return Err(Usage::error("standard input can be read once, and `-` stands more than once: name a file"));
    }
    Ok(())
}

/// Says on a terminal that it is read from.
pub(crate) fn say_where_from_a_terminal(what: &str) {
    if io::stdin().is_terminal() {
        eprintln!("reading {what} from the terminal, Ctrl-D ends");
    }
}

/// Opens comments: CSV or JSON Lines; plain, gzip or zstd.
///
/// # Errors
/// Where there is nothing that could be comments.
pub(crate) fn comments(path: &Path, options: ReadOptions) -> Result<Reader, OpenError> {
    if is_standard_input(path) { comments_of_standard_input(options) } else { Reader::open_with(path, options) }
}

/// Opens comments that come on standard input.
///
/// # Errors
/// Where there is nothing that could be comments.
pub(crate) fn comments_of_standard_input(options: ReadOptions) -> Result<Reader, OpenError> {
    say_where_from_a_terminal("comments, one JSON object a line,");
    Reader::from_read_with(STANDARD_INPUT, io::stdin(), options)
}

/// Reads a text: UTF-8, or UTF-16 as Windows writes it.
///
/// # Errors
/// Where it can't be read, or is in another encoding.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if is_standard_input(path) {
        say_where_from_a_terminal("a text");
        io::stdin().read_to_end(&mut bytes).with_context(|| name(path))?;
    } else {
        let file = File::open(path);
        file.and_then(|mut file| file.read_to_end(&mut bytes)).with_context(|| name(path))?;
    }
    plain_text::decode(bytes).with_context(|| name(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_read_once() {
        let check = |paths: &[&str]| check_read_once(paths.iter().map(Path::new));
        assert!(check(&["-", "a", "./-"]).is_ok() && check(&[]).is_ok());
        let error = check(&["-", "a", "-"]).expect_err("twice");
        assert!(error.is::<Usage>(), "{error}");
    }
}
