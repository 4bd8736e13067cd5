//! Pages: data in, HTML out.

mod alert;
mod desk;
mod digest;
mod notes;
mod numbers;
mod words;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_report::escape::escape;
use sha2::{Digest as _, Sha256};

pub(crate) use alert::{AlertPage, Asker};
pub(crate) use desk::DeskPage;
pub(crate) use digest::DigestPage;
pub(crate) use notes::{Note, note, sign_in};

const STYLE: &str = include_str!("../style.css");
const KEYS: &str = include_str!("../keys.js");

/// Lets in the style and the script below, by their checksums, and nothing else.
pub(crate) fn content_security_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'",
            hash(STYLE),
            hash(KEYS)
        )
    });
    &POLICY
}

/// A whole page.
fn shell(title: &str, class: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body class=\"{class}\">\n{content}\n<script>{KEYS}</script>\n</body>\n</html>\n",
        escape(title)
    )
}

/// A form that decides.
pub(crate) struct Form<'a> {
    /// Where it goes.
    pub(crate) path: &'a str,
    /// What it carries along.
    pub(crate) hidden: &'a [(&'a str, String)],
}

impl Form<'_> {
    fn open(&self, class: &str) -> String {
        let hidden = self
            .hidden
            .iter()
            .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value)));
        format!(
            "<form method=\"post\" action=\"{}\" class=\"{class}\">{}",
            escape(self.path),
            hidden.collect::<String>()
        )
    }
}
