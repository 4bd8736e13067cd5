//! The moderators' desk: the queue, decisions, the day's numbers, for whom IAM lets in or who signed in with a link.
//!
//! A function URL's request in, a page out. `shared/pages/desk` has the pages.

mod config;

use modstream_desk::SiteSettings;

pub use config::Config;
pub use modstream_desk::Pages;

/// The function's name.
pub const NAME: &str = "show-desk";

/// What the function serves: the desk, and nothing that links lead to but sign-ins.
pub fn settings(config: &Config) -> SiteSettings {
    SiteSettings { links: false, desk: Some(config.access), forum: config.pages.forum.clone() }
}
