//! Pages: data in, HTML out.

mod alert;
mod desk;
mod digest;
mod highlight;
mod notes;
mod numbers;
mod sign_in;
mod words;

use plain_text::counted;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use modstream_events::Action;
use modstream_report::html::finish;
use sha2::{Digest as _, Sha256};

pub(crate) use alert::{AlertPage, Asker};
pub(crate) use desk::{Cards, DeskPage};
pub(crate) use digest::DigestPage;
pub(crate) use notes::{Note, note};
pub(crate) use sign_in::sign_in;

const STYLE: &str = include_str!("../style.css");
const KEYS: &str = include_str!("../keys.js");

/// Lets in the style and the script below, by their checksums, and lets the script ask this site. Nothing else.
pub(crate) fn content_security_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
            hash(STYLE),
            hash(KEYS)
        )
    });
    &POLICY
}

/// How wide a page may become.
#[derive(Clone, Copy)]
enum Width {
    Narrow,
    Wide,
}

/// A whole page.
fn shell(title: &str, width: Width, content: &Markup) -> String {
    let width = match width {
        Width::Narrow => "narrow",
        Width::Wide => "wide",
    };
    finish(&html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
                script { (PreEscaped(KEYS)) }
            }
            body class=(width) { (content) }
        }
    })
}

/// A form that decides.
pub(crate) struct Form<'a> {
    /// Where it goes.
    pub(crate) path: &'a str,
    /// What it carries along.
    pub(crate) hidden: &'a [(&'a str, String)],
}

impl Form<'_> {
    fn html(&self, class: &str, content: &Markup) -> Markup {
        html! {
            form method="post" action=(self.path) class=(class) {
                @for (name, value) in self.hidden { input type="hidden" name=(name) value=(value); }
                (content)
            }
        }
    }
}

/// A button that decides, named by its action.
fn button(action: Action, is_proposed: bool) -> Markup {
    let label = match action {
        Action::Remove => "Remove",
        Action::Keep => "Keep",
        Action::Undo => "Undo",
    };
    let class = if is_proposed { format!("first {action}") } else { action.to_string() };
    html! { button name="action" value=(action.to_string()) class=(class) { (label) } }
}

/// A count of alerts.
fn alerts(number: usize) -> String {
    counted(number, "alert")
}
