//! Blocks of a document that a command writes: between `<!-- costs: NAME -->` and `<!-- end -->`, each a line of its own.

use anyhow::Context as _;

const END: &str = "\n<!-- end -->\n";

/// The document with this text in its block of this name.
pub(super) fn with(source: &str, name: &str, text: &str) -> anyhow::Result<String> {
    let begin = format!("<!-- costs: {name} -->\n");
    let missing = || format!("no block begins with `{}` and ends with `{}`", begin.trim_end(), END.trim());
    let (before, rest) = source.split_once(&begin).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{before}{begin}\n{}\n{END}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str =
        "a\n\n<!-- costs: one -->\n\nold\n\n<!-- end -->\n\nb\n<!-- costs: two -->\n\n<!-- end -->\n";

    #[test]
    fn a_block_is_written_and_all_else_stays() {
        let written = with(DOCUMENT, "one", "new\n").expect("it has the block");
        assert_eq!(written, DOCUMENT.replace("old", "new"));
        assert_eq!(with(&written, "one", "new\n").expect("it has the block"), written, "a second time changes nothing");
        let two = with(DOCUMENT, "two", "new").expect("it has the block");
        assert!(two.starts_with(DOCUMENT.split_once("<!-- costs: two").expect("there").0), "{two}");
    }

    #[test]
    fn a_document_without_the_block_is_an_error_that_says_what_to_put() {
        let error = with(DOCUMENT, "three", "new").expect_err("it has none").to_string();
        assert!(error.contains("<!-- costs: three -->"), "{error}");
        with("<!-- costs: one -->\n\nold\n", "one", "new").expect_err("it does not end");
    }
}
