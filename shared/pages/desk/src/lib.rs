//! Where moderators decide: pages as functions from data to HTML, and a [`Site`] that answers plain [`Request`]s.
//!
//! | | | who may |
//! |---|---|---|
//! | `GET /a/<token>` | an alert, and the question | whoever has the link |
//! | `POST /a/<token>` | decides | the same |
//! | `GET /d/<token>` | the alerts of a digest | whoever has the link |
//! | `GET /s/<token>` | asks whether to sign in | whoever has the link |
//! | `POST /s/<token>` | begins a session, once | the same |
//! | `GET /` | the queue and the day's numbers | a session, or IAM's caller |
//! | `GET /alert/<comment>/<id>` | an alert | the same |
//! | `POST /decide` | decides | the same, with the page's form token |
//! | `POST /sign-out` | ends the session | anybody |
//!
//! **A GET never decides**: mail scanners follow links. Pages work without a script; the one there is adds keys. What comes
//! from a comment is text, never markup.

mod company;
mod config;
mod function;
mod http;
mod load;
mod pages;
mod site;
mod used_link;

pub use config::Config;
pub use function::{Pages, PagesError};
pub use http::{MAX_BODY_BYTES, Request, Response};
/// The indexes of the table that pages are made of.
pub use modstream_ledger::SCHEMA;
pub use site::{Access, SESSION_HOURS, Site, SiteSettings};
