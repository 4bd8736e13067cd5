//! Comments as they come in: in the body of a request ([`read`]), or a row of a file ([`Events`]). Each becomes an event of the stream
//! of comments, whose id follows from what it says, so that what is sent again is the same event; what is none is named with its
//! place, and quoted nowhere.

mod body;
mod events;
pub mod identity;
mod versions;

pub use body::{Entry, Format, MAX_BODY_BYTES, NoBody, Read, Reading, Refused, TYPES, read};
pub use events::{DEFAULT_SOURCE, Events, Held, Ready};
pub use versions::{Version, Versions};
