//! Which digests there were, and what they covered. None of it holds a comment's text.
//!
//! | partition | sort key | holds |
//! |---|---|---|
//! | `digests` | `head` | until when windows are closed, and which subreddits' alerts wait for a digest |
//! | `digests` | `unsent#<window>` | that digests of the window may have to be sent |
//! | `window#<window>` | `record` | which attempt closed the window |
//! | `window#<window>` | `digest#<attempt>#<position>` | a [`Digest`], and that it was sent |
//! | `known#<quarter hour>` | `<window>#<attempt>#<page>` | the alerts made then that this window took: in a digest, or waiting for one |
//! | `waiting#<subreddit>` | `<window>#<attempt>#<page>` | those of them that wait: in quiet hours, say |
//!
//! **Windows are closed one after another**, by whoever moves the head on from where they found it: so what follows from the head is
//! decided once, and an alert is in one digest even if runs overlap. What a window's closing writes before that carries the
//! attempt's name, and counts only if the window's record says that this attempt closed it.
//!
//! In a closed window and not sent means: send it now.

mod digest;
mod store;

pub use digest::{Digest, Late, MAX_NAMED, WithheldCount};
pub use store::{Closed, Closing, Digests, DigestsError, Head, NoWindow, StoredDigest, Unsent, WaitingSince, Window};
