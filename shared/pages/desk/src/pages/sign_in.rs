//! The page behind a sign-in link.

use maud::html;
use modstream_report::html::isolate_direction;
use plain_text::counted;

use super::{Width, shell};

/// Asks whether to sign in: a click, which a scanner of mails does not make.
pub(crate) fn sign_in(path: &str, moderator: &str, hours: i64) -> String {
    let content = html! {
        main {
            h1 { "Sign in as " (isolate_direction(moderator)) "?" }
            p { "The session lasts " (counted(hours, "hour")) ", in this browser. The link works once." }
            form method="post" action=(path) class="question" { div.buttons { button.first { "Sign in" } } }
        }
    };
    shell("Sign in", Width::Narrow, &content)
}
