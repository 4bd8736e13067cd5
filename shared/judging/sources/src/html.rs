//! A comment's HTML as its readers see it.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// The text of a piece of HTML: what is shown of it. Paragraphs lie apart, mentions and the texts of links stay, and what a forum
/// puts there for programs alone (`<span class="invisible">`, scripts, styles) does not.
///
/// It is tokenized as browsers do, and no tree is made of it: however deeply it is nested, that takes neither stack nor memory.
pub fn text_of(html: &str) -> String {
    let tokenizer = Tokenizer::new(Text::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // A script is read over, so nobody has to run it before the rest is read.
    while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
    tokenizer.end();
    let mut written = tokenizer.sink.0.into_inner();
    written.text.truncate(written.text.trim_end().len());
    written.text
}

/// What is written of the text so far.
#[derive(Default)]
struct Text(RefCell<Written>);

#[derive(Default)]
struct Written {
    text: String,
    /// The line ends that come before the next character, and whether a blank does.
    lines: usize,
    is_blank: bool,
    /// Of each open `span`, whether it is invisible.
    spans: Vec<bool>,
    invisible: usize,
    /// How many `pre` are open.
    preformatted: usize,
    /// The element whose content is none, such as a script.
    over: Option<String>,
}

/// The elements that stand on lines of their own, and how far apart: in line ends.
fn lines_around(name: &str) -> usize {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "pre" | "ul" | "ol" | "table" | "aside" => 2,
        "div" | "li" | "tr" | "hr" | "dt" | "dd" | "section" | "article" | "details" | "summary" => 1,
        _ => 0,
    }
}

impl Written {
    fn push(&mut self, text: &str) {
        if self.invisible > 0 || self.over.is_some() {
            return;
        }
        for character in text.chars() {
            if self.preformatted > 0 && character == '\n' {
                self.lines += 1;
            } else if character.is_ascii_whitespace() {
                self.is_blank = true;
            } else {
                let is_begun = !self.text.is_empty();
                if is_begun && self.lines > 0 {
                    self.text.extend(std::iter::repeat_n('\n', self.lines.min(2)));
                } else if is_begun && self.is_blank {
                    self.text.push(' ');
                }
                (self.lines, self.is_blank) = (0, false);
                self.text.push(character);
            }
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        let is_start = tag.kind == TagKind::StartTag;
        if self.over.is_some() {
            if !is_start && self.over.as_deref() == Some(name) {
                self.over = None;
            }
            return TokenSinkResult::Continue;
        }
        self.lines = self.lines.max(lines_around(name));
        let attribute = |wanted: &str| {
            let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == wanted)?;
            Some(found.value.to_string())
        };
        match (name, is_start) {
            ("script" | "style" | "noscript" | "iframe" | "title" | "textarea", true) => {
                self.over = Some(name.to_owned());
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            ("br", _) => self.lines += 1,
            // A picture of an emoji, in the middle of a text.
            ("img", true) => self.push(&attribute("alt").unwrap_or_default()),
            ("span", true) => {
                let class = attribute("class").unwrap_or_default();
                let is_invisible = class.split_ascii_whitespace().any(|class| class == "invisible");
                self.spans.push(is_invisible);
                self.invisible += usize::from(is_invisible);
            }
            ("span", false) => self.invisible -= usize::from(self.spans.pop().unwrap_or_default()),
            ("pre", true) => self.preformatted += 1,
            ("pre", false) => self.preformatted = self.preformatted.saturating_sub(1),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl TokenSink for Text {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut written = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => written.push(&text),
            Token::TagToken(tag) => return written.tag(&tag),
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_sees_is_the_text() {
        for (html, text) in [
            ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
            ("<p>a &amp; b &lt;3 &#x1F600;</p>", "a & b <3 😀"),
            (
                "<p>see <a href=\"https://example.org/a/b\"><span class=\"invisible\">https://</span><span class=\"ellipsis\">\
                 example.org/a</span><span class=\"invisible\">/b</span></a>!</p>",
                "see example.org/a!",
            ),
            (
                "<p><span class=\"h-card\"><a href=\"https://x.example/@maja\" class=\"u-url mention\">@<span>maja</span></a>\
                 </span> hello</p>",
                "@maja hello",
            ),
            ("<p>a</p><script>alert('b')</script><style>p{}</style><p>c</p>", "a\n\nc"),
            ("<p>nice <img class=\"emoji\" alt=\":smile:\"> day</p>", "nice :smile: day"),
            ("<pre>a\n  b</pre>", "a\nb"),
            ("a\n\n  b", "a b"),
            ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
            ("no <b>markup", "no markup"),
            ("cut <a href=\"ht", "cut"),
            ("</span></span>a</pre>", "a"),
            ("<script>never closed", ""),
            ("", ""),
        ] {
            assert_eq!(text_of(html), text, "{html}");
        }
    }

    #[test]
    fn however_deeply_it_is_nested_it_is_read() {
        let deep = "<div><span>".repeat(100_000) + "deep";
        assert_eq!(text_of(&deep), "deep");
    }
}
