//! Signed links → an alert and why, or a digest; and what a moderator decides → the log, the stream of decisions.
//!
//! A function URL's request in, a page out. `shared/pages/desk` has the pages.

use modstream_desk::SiteSettings;

pub use modstream_desk::{Config, Pages};

/// The function's name.
pub const NAME: &str = "take-decisions";

/// What the function serves: what links lead to, and no desk.
pub fn settings(config: &Config) -> SiteSettings {
    SiteSettings { links: true, desk: None, forum: config.forum.clone() }
}
