//! A Markdown document as the checks see it: its blocks, its links, the paths and commands it names.

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// What stands before a block that is not run, with the reason.
const NOT_RUN: &str = "not run:";
/// What says where and when a number was measured, with the command.
const MEASURED: &str = "measured:";

/// A block of code.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    /// The word behind the fence; empty where there is none, or no fence.
    pub(crate) language: String,
    /// The line its first line of text is on.
    pub(crate) line: usize,
    /// Where its text stands in the document.
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
    /// The reason of a marker `<!-- not run: reason -->` right above it.
    pub(crate) not_run: Option<String>,
}

/// A link's target or a piece of inline code, and the line it is on.
#[derive(Debug, PartialEq)]
pub(crate) struct Mention {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// A document.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) blocks: Vec<Block>,
    pub(crate) links: Vec<Mention>,
    pub(crate) code: Vec<Mention>,
    /// What `#...` in a link may name.
    pub(crate) anchors: BTreeSet<String>,
    /// What stands in `<!-- measured: ... -->`.
    pub(crate) measured: Vec<Mention>,
}

impl Document {
    /// Reads a document.
    pub(crate) fn parse(source: &str) -> Self {
        let mut document = Document::default();
        // The marker that the next block is under, and the block or heading that is being read.
        let mut marker: Option<String> = None;
        let mut block: Option<Block> = None;
        let mut heading: Option<String> = None;
        let line_of = |at: usize| source[..at].matches('\n').count() + 1;
        for (event, range) in Parser::new_ext(source, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or_default().to_owned(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    let not_run = marker.take();
                    block = Some(Block { language, line: 0, range: 0..0, text: String::new(), not_run });
                }
                Event::End(TagEnd::CodeBlock) => document.blocks.extend(block.take()),
                Event::Text(text) => {
                    if let Some(block) = &mut block {
                        if block.text.is_empty() {
                            block.line = line_of(range.start);
                            block.range = range.clone();
                        }
                        block.range.end = range.end;
                        block.text.push_str(&text);
                    }
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Html(html) => {
                    let comment = html.trim().strip_prefix("<!--").and_then(|html| html.strip_suffix("-->"));
                    let comment = comment.map(str::trim);
                    marker = comment.and_then(|text| text.strip_prefix(NOT_RUN)).map(|text| text.trim().to_owned());
                    if let Some(text) = comment.and_then(|text| text.strip_prefix(MEASURED)) {
                        document.measured.push(Mention { line: line_of(range.start), text: text.trim().to_owned() });
                    }
                }
                Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    document.anchors.extend(heading.take().map(|heading| anchor(&heading)));
                }
                Event::Code(code) => {
                    document.code.push(Mention { line: line_of(range.start), text: code.to_string() });
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(Mention { line: line_of(range.start), text: dest_url.to_string() });
                }
                Event::Start(Tag::Paragraph | Tag::List(_) | Tag::Table(_)) => marker = None,
                _ => {}
            }
        }
        document
    }
}

/// The anchor that a heading gets where Markdown is shown.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// A command of a block, and what the document says that it prints.
#[derive(Debug, PartialEq)]
pub(crate) struct Example {
    pub(crate) command: String,
    /// The line the command is on.
    pub(crate) line: usize,
    pub(crate) output: Vec<String>,
}

impl Block {
    /// The commands of a `console` block: lines that begin with `$ `, each with the lines up to the next. A line that ends in
    /// `\` goes on in the next.
    ///
    /// # Errors
    /// Where something stands above the first command, or there is none.
    pub(crate) fn examples(&self) -> Result<Vec<Example>, String> {
        let mut examples: Vec<Example> = Vec::new();
        for (number, line) in self.text.lines().enumerate() {
            let line_number = self.line + number;
            match (line.strip_prefix("$ "), examples.last_mut()) {
                (Some(command), _) => {
                    examples.push(Example { command: command.to_owned(), line: line_number, output: Vec::new() });
                }
                (None, Some(last)) if last.output.is_empty() && last.command.ends_with('\\') => {
                    last.command.push('\n');
                    last.command.push_str(line);
                }
                (None, Some(last)) => last.output.push(line.to_owned()),
                (None, None) => return Err("output above the first command".to_owned()),
            }
        }
        if examples.is_empty() { Err("a console block without a command".to_owned()) } else { Ok(examples) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "\
# The `desk` and 2 more

See [policies](policies.md#the-fields), `docs/desk.md`.

```console
$ modstream explain 'a'
0.76
$ modstream score \\
  --input x
```

<!-- not run: needs AWS -->
```console
$ modstream tail alerts
```

<!-- not run: of another block -->

Between.

```sh
ls
```

<!-- measured: laptop, 2026-11-25; `time x` -->
";

    #[test]
    fn blocks_come_with_their_lines_and_the_marker_above_them() {
        let document = Document::parse(DOCUMENT);
        let told: Vec<_> = document
            .blocks
            .iter()
            .map(|block| (block.language.as_str(), block.line, block.not_run.as_deref()))
            .collect();
        assert_eq!(told, [("console", 6, None), ("console", 14, Some("needs AWS")), ("sh", 22, None)]);
        assert_eq!(&DOCUMENT[document.blocks[2].range.clone()], "ls\n");
        assert_eq!(document.measured[0].text, "laptop, 2026-11-25; `time x`");
        assert_eq!(document.links[0], Mention { line: 3, text: "policies.md#the-fields".to_owned() });
        assert_eq!(document.code[1], Mention { line: 3, text: "docs/desk.md".to_owned() });
        assert!(document.anchors.contains("the-desk-and-2-more"), "{:?}", document.anchors);
    }

    #[test]
    fn a_command_may_go_on_and_its_output_ends_at_the_next() {
        let examples = Document::parse(DOCUMENT).blocks[0].examples().expect("examples");
        assert_eq!(examples[0].output, ["0.76"]);
        assert_eq!((examples[1].command.as_str(), examples[1].line), ("modstream score \\\n  --input x", 8));
        assert!(examples[1].output.is_empty());
    }

    #[test]
    fn output_without_a_command_is_an_error() {
        let block = |text: &str| Document::parse(&format!("```console\n{text}\n```\n")).blocks.remove(0);
        assert_eq!(block("0.76").examples(), Err("output above the first command".to_owned()));
        assert!(block("").examples().is_err());
    }
}
