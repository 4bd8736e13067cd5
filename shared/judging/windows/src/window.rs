use jiff::{SignedDuration, Timestamp};

/// A stretch of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first moment of the window.
    pub start: Timestamp,
    /// The first moment after the window.
    pub end: Timestamp,
}

impl Window {
    /// Whether the window contains `time`.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.start <= time && time < self.end
    }
}

/// Windows are ordered by when they close.
impl Ord for Window {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.end, self.start).cmp(&(other.end, other.start))
    }
}

impl PartialOrd for Window {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A way to cut event time into windows.
pub trait Windowing {
    /// The windows that contain `time`, by end.
    fn windows(&self, time: Timestamp) -> impl Iterator<Item = Window>;
}

/// A length that windows can't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("windows of {length:#} every {step:#} are impossible: both durations must be above zero")]
pub struct LengthError {
    /// The length of a window.
    pub length: SignedDuration,
    /// The time from one window's start to the next one's.
    pub step: SignedDuration,
}

/// Windows side by side: each time is in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tumbling {
    length: SignedDuration,
}

/// Windows that begin a step apart: where they are longer than that, they overlap, and a time is in several; where they are
/// shorter, some times are in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sliding {
    length: SignedDuration,
    step: SignedDuration,
}

impl Tumbling {
    /// Makes windows of this length.
    ///
    /// # Errors
    /// [`LengthError`] where the length is not above zero.
    pub fn new(length: SignedDuration) -> Result<Self, LengthError> {
        Sliding::new(length, length).map(|_| Tumbling { length })
    }

    /// The window that contains `time`.
    pub fn window(&self, time: Timestamp) -> Window {
        let length = self.length.as_nanos();
        let start = time.as_nanosecond().div_euclid(length) * length;
        between(start, start + length)
    }

    /// The newest window that has ended by `time`.
    pub fn ended_by(&self, time: Timestamp) -> Window {
        let length = self.length.as_nanos();
        let end = time.as_nanosecond().div_euclid(length) * length;
        between(end - length, end)
    }
}

impl Windowing for Tumbling {
    fn windows(&self, time: Timestamp) -> impl Iterator<Item = Window> {
        std::iter::once(self.window(time))
    }
}

impl Sliding {
    /// Makes windows of this length, one every `step`.
    ///
    /// # Errors
    /// [`LengthError`] where one of the two is not above zero.
    pub fn new(length: SignedDuration, step: SignedDuration) -> Result<Self, LengthError> {
        let fits = length.is_positive() && step.is_positive();
        if fits { Ok(Sliding { length, step }) } else { Err(LengthError { length, step }) }
    }
}

impl Windowing for Sliding {
    fn windows(&self, time: Timestamp) -> impl Iterator<Item = Window> {
        let (time, length, step) = (time.as_nanosecond(), self.length.as_nanos(), self.step.as_nanos());
        // A window that begins after time - length, and not after time, has it.
        let first = (time - length).div_euclid(step) + 1;
        let last = time.div_euclid(step);
        (first..=last).map(move |number| between(number * step, number * step + length))
    }
}

/// The window from `start` to `end`, cut off at the first and last time that can be represented.
fn between(start: i128, end: i128) -> Window {
    let time = |nanosecond| {
        let edge = if nanosecond < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_nanosecond(nanosecond).unwrap_or(edge)
    };
    Window { start: time(start), end: time(end) }
}
