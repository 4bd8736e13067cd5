//! Named mutations: places in the code where a test can switch on what would be wrong, to see that another test notices.
//!
//! ```
//! fn answer() -> u32 {
//!     if named_mutations::is_on("wrong-answer") { 41 } else { 42 }
//! }
//!
//! # #[cfg(feature = "on")]
//! named_mutations::with(Some("wrong-answer"), || assert_eq!(answer(), 41));
//! assert_eq!(answer(), 42);
//! ```
//!
//! Without the feature `on` every [`is_on`] is a constant `false`, and nothing is left of the mutation.

#[cfg(feature = "on")]
mod switch {
    use std::cell::Cell;

    thread_local! {
        static NAME: Cell<Option<&'static str>> = const { Cell::new(None) };
    }

    /// Whether this mutation is switched on in this thread.
    pub fn is_on(name: &str) -> bool {
        NAME.get() == Some(name)
    }

    /// Does some work with a mutation switched on in this thread, or with none.
    pub fn with<T>(name: Option<&'static str>, work: impl FnOnce() -> T) -> T {
        let before = NAME.replace(name);
        let done = work();
        NAME.set(before);
        done
    }
}

#[cfg(feature = "on")]
pub use switch::{is_on, with};

/// Whether this mutation is switched on: never, without the feature `on`.
#[cfg(not(feature = "on"))]
pub const fn is_on(_name: &str) -> bool {
    false
}
