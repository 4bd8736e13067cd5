//! What steps are told of the run that they belong to.

/// How a run of steps is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Only what is done in no time.
    pub(super) quick: bool,
    /// More of it, which takes longer.
    pub(super) full: bool,
    /// Cargo reports which crate took how long.
    pub(super) timings: bool,
}

impl Settings {
    /// How many comments each fault on the local stack gets.
    pub(super) fn comments_per_fault(self) -> u32 {
        if self.full { 10_000 } else { 1_000 }
    }

    /// How often `modstream serve` is killed under load.
    pub(super) fn kills(self) -> &'static str {
        if self.full { "1000" } else { "100" }
    }
}
