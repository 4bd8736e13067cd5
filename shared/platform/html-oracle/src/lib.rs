//! A page as a browser reads it, for tests: the parser is html5ever's, which shares nothing with what writes the pages.
//!
//! ```
//! use html_oracle::Page;
//!
//! let page = Page::parse("<!DOCTYPE html><title>x</title><p class=a>1 &lt; 2</p>");
//! assert_eq!(page.all("p")[0].text, "1 < 2");
//! assert_eq!(page.outline()[4], "  <p class=\"a\">");
//! ```

use html5ever::tendril::TendrilSink as _;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// An element with what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The element's name, such as `bdi`.
    pub name: String,
    /// The attributes by name, in the page's order.
    pub attributes: Vec<(String, String)>,
    /// The text of the element and of all elements within.
    pub text: String,
    /// How many elements the element stands in.
    pub depth: usize,
}

impl Element {
    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether the element is of this class.
    pub fn is(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|classes| classes.split(' ').any(|found| found == class))
    }
}

/// A page that a browser reads without correcting anything.
#[derive(Clone, Debug)]
pub struct Page {
    elements: Vec<Element>,
}

impl Page {
    /// Reads a page.
    ///
    /// # Panics
    /// Where the page holds an error that a browser would have to correct, such as an element that is not closed.
    pub fn parse(html: &str) -> Self {
        // Characters that no page may hold are errors, too.
        let tokenizer = TokenizerOpts { exact_errors: true, ..TokenizerOpts::default() };
        let options = ParseOpts { tokenizer, ..ParseOpts::default() };
        let dom = parse_document(RcDom::default(), options).one(html);
        let errors = dom.errors.borrow();
        assert!(errors.is_empty(), "{errors:?} in {html}");
        let mut elements = Vec::new();
        collect(&dom.document, 0, &mut elements);
        Page { elements }
    }

    /// Every element, in the order in which they open.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The elements of a name.
    pub fn all(&self, name: &str) -> Vec<&Element> {
        self.elements.iter().filter(|element| element.name == name).collect()
    }

    /// The elements of a class.
    pub fn of_class(&self, class: &str) -> Vec<&Element> {
        self.elements.iter().filter(|element| element.is(class)).collect()
    }

    /// The structure: a line an element, indented by its depth, with the names of its attributes and its class, without any
    /// text.
    pub fn outline(&self) -> Vec<String> {
        let line = |element: &Element| {
            let attributes = element.attributes.iter().map(|(name, value)| match name.as_str() {
                "class" => format!(" class=\"{value}\""),
                name => format!(" {name}"),
            });
            let indent = " ".repeat(element.depth.saturating_sub(1));
            format!("{indent}<{}{}>", element.name, attributes.collect::<String>())
        };
        self.elements.iter().map(line).collect()
    }
}

fn collect(node: &Handle, depth: usize, elements: &mut Vec<Element>) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attributes = attrs.borrow();
        elements.push(Element {
            name: name.local.to_string(),
            attributes: attributes.iter().map(|one| (one.name.local.to_string(), one.value.to_string())).collect(),
            text: text(node),
            depth,
        });
    }
    node.children.borrow().iter().for_each(|child| collect(child, depth + 1, elements));
}

fn text(node: &Handle) -> String {
    match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => node.children.borrow().iter().map(text).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_correct_is_an_error() {
        for bad in [
            "<p>no doctype</p>",
            "<!DOCTYPE html><div><b>x</div>",
            "<!DOCTYPE html><p a=1 a=2></p>",
            "<!DOCTYPE html>\u{1}",
        ] {
            assert!(std::panic::catch_unwind(|| Page::parse(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn elements_know_their_class_and_their_text() {
        let page = Page::parse("<!DOCTYPE html><title>t</title><ul><li class=\"a b\">x<b>y</b></ul>");
        let [item] = &page.of_class("b")[..] else { panic!("one: {:?}", page.elements()) };
        assert_eq!((item.name.as_str(), item.text.as_str(), item.attribute("id")), ("li", "xy", None));
    }
}
