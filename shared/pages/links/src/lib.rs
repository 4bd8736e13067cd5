//! Who may do what until when, as a text that fits into a link, a cookie or a form.
//!
//! A token is base64url, without padding, of a payload and the first 16 bytes of its HMAC-SHA256. The payload: a byte for the
//! kind, when it expires (minutes since 1970, big-endian u32), and what the kind says:
//!
//! | kind | | what it says | where |
//! |---|---|---|---|
//! | 1 | alert | the comment's key and the alert's id (UUIDs), the proposed action (1 remove, 2 keep, 3 none) | `<base>/a/<token>` |
//! | 2 | digest | its window's start (minutes since 1970, u32) and minutes (u16), which of the window's it is (u16) | `<base>/d/<token>` |
//! | 3 | sign-in | a UUID of the link's own, the moderator's name | `<base>/s/<token>` |
//! | 4 | session | the moderator's name | a cookie |
//! | 5 | form | the moderator's name | a page's forms |
//!
//! Who holds a token may do what it says, so it is as short-lived as its use allows. The key before the current one is still
//! accepted: links outlive a rotation.
//!
//! ```
//! use modstream_links::{Claim, LinkError, Signer};
//!
//! let signer = Signer::new(b"a key of at least thirty-two bytes", None)?;
//! let now = "2026-01-05T10:00:00Z".parse()?;
//! let claim = Claim::Session { moderator: "maja".to_owned() };
//! let token = signer.sign(&claim, now + jiff::SignedDuration::from_hours(12));
//! assert_eq!(signer.verify(&token, now), Ok(claim));
//! assert_eq!(signer.verify(&token, now + jiff::SignedDuration::from_hours(13)), Err(LinkError::Expired));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claim;
mod keys;
mod maker;
mod signer;

pub use claim::Claim;
pub use keys::{KeyError, Keys};
pub use maker::{FORUM, LinkMaker, LinkSettings, RenewedLinks, VALID_FOR, forum};
pub use signer::{LinkError, MIN_KEY_BYTES, Signer, WeakKey, decode_without_verifying};
