//! Windows over event time: what belongs together by when it happened, in whatever order it comes.
//!
//! The terms are those of the Dataflow model (Akidau et al., *The Dataflow Model*, PVLDB 8(12), 2015,
//! [doi:10.14778/2824032.2824076](https://doi.org/10.14778/2824032.2824076)) and of
//! [Flink's windows](https://nightlies.apache.org/flink/flink-docs-stable/docs/dev/datastream/operators/windows/):
//!
//! - **event time**: when something happened, which is not when it comes here;
//! - a **window**: a stretch of event time, its start in it and its end not. Windows are aligned to 1970, so everybody who
//!   cuts time in the same lengths gets the same windows;
//! - the **watermark**: up to where event time is held to be complete. Here it is the highest time seen, or a clock's, minus
//!   the **allowed lateness**: what Flink calls bounded out-of-orderness. It never goes back;
//! - a window **closes** when the watermark reaches its end. It is emitted then, once;
//! - what comes for a closed window is **late**. It changes nothing that was emitted, and is counted.
//!
//! ```
//! use jiff::SignedDuration;
//! use modstream_windows::{Tumbling, Windows};
//!
//! let five_minutes = Tumbling::new(SignedDuration::from_mins(5))?;
//! let mut counts: Windows<&str, u32, _> = Windows::new(five_minutes, SignedDuration::from_mins(1));
//! for time in ["2026-01-05T10:01:00Z", "2026-01-05T10:04:59Z", "2026-01-05T10:05:00Z"] {
//!     counts.add(&"science", time.parse()?, |count| *count += 1);
//! }
//! // Something of 10:05 may still be on its way until 10:06 was seen.
//! assert!(counts.advance("2026-01-05T10:05:59Z".parse()?).is_empty());
//! let closed = counts.advance("2026-01-05T10:06:00Z".parse()?);
//! assert_eq!((closed[0].window.start, closed[0].value), ("2026-01-05T10:00:00Z".parse()?, 2));
//!
//! let added = counts.add(&"science", "2026-01-05T10:03:00Z".parse()?, |count| *count += 1);
//! assert_eq!((added.folded, added.late), (0, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fold;
mod window;

pub use fold::{Added, Closed, Windows};
pub use window::{LengthError, Sliding, Tumbling, Window, Windowing};
