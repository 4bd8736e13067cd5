use proportions::{Interval, Proportion};

/// What a model makes of sentences about groups of people, neutral ones and hostile ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Bias {
    /// The neutral sentences that are flagged, and the interval of their share.
    pub neutral: (Proportion, Interval),
    /// The hostile sentences that are flagged, and the interval of their share.
    pub hostile: (Proportion, Interval),
    /// The groups, the one whose neutral sentences score highest first.
    pub groups: Vec<GroupBias>,
    /// The difference, in log-odds, that would be found in 80 of 100 cases.
    pub detectable: f64,
    /// The sentences that are unlike what the model learned from.
    pub outside: Proportion,
}

/// What a model makes of one group's sentences.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupBias {
    /// The group.
    pub group: String,
    /// The log-odds of its neutral sentences beside those of the median group.
    pub beside_median: f64,
    /// The interval of that.
    pub interval: Interval,
    /// Its neutral sentences that are flagged.
    pub neutral: Proportion,
    /// Its hostile sentences that are flagged.
    pub hostile: Proportion,
}
