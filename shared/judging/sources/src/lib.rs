//! What other people's forums say of comments, as the events of the stream of comments.
//!
//! All of it is pure: a frame, a page or a message goes in, and what it says comes out ([`Said`]): an event that is ready to be
//! put, or why there is none. Nothing that others wrote makes it fail, and the same words make the same ids, whenever they are
//! read: so what is read twice is a repeat. Who gets the words from the network, and remembers how far it came, is somebody else.

pub mod bluesky;
pub mod discourse;
mod html;
mod json;
pub mod lemmy;
pub mod mastodon;
mod said;
pub mod sse;

pub use html::text_of;
pub use said::{Kind, NoPage, Origin, Post, Ready, Said, Skip, Told};
