use serde::{Deserialize, Serialize};

/// Platt's calibration: `slope * x + intercept`, from the regression's log-odds to calibrated ones. It is affine, so
/// that contributions still add up (J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The slope, above zero, so that the order of comments stays.
    pub slope: f64,
    /// The intercept, in log-odds.
    pub intercept: f64,
}
