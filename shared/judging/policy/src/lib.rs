//! Policies: which predictions alert, how urgent they are, and how many may be published an hour.
//!
//! [`Policies`] is a document, TOML or JSON: rules for all comments, and by subreddit what differs. It is pure: reading it,
//! checking it and judging by it touch no service.
//!
//! ```
//! use modstream_policy::Policies;
//!
//! let policies = Policies::parse(
//!     r#"
//!     [default]
//!     threshold = "precision>=0.9"
//!     max_alerts_per_hour = 20
//!
//!     [subreddits.science]
//!     threshold = 0.8
//!     "#,
//! )?;
//! assert_eq!(policies.for_subreddit(Some("Science")).threshold.to_string(), "probability>=0.8");
//! assert_eq!(policies.for_subreddit(Some("Science")).max_alerts_per_hour, Some(20));
//!
//! let error = Policies::parse("[default]\nthreshold = 2").expect_err("2 is no share");
//! assert!(error.to_string().starts_with("line 2: default.threshold: `2` is no policy"));
//! # Ok::<(), modstream_policy::Problems>(())
//! ```

mod always_term;
mod base_rate;
mod check;
mod condition;
mod document;
mod harm;
mod judge;
mod locate;
mod policies;
mod problem;
mod quiet_hours;
mod reach;
mod read;
mod self_harm;
mod setting;
mod severities;

pub use always_term::{AlwaysTerm, AlwaysTerms};
pub use base_rate::AtBaseRate;
pub use condition::{Condition, Policy, PolicyError};
pub use document::{
    BreakerDocument, Channel, Document, HarmDocument, LabelThreshold, OutsideSupport, QuietHoursDocument,
    RulesDocument, SelfHarmDocument, SeverityDocument, TotalDocument,
};
pub use harm::{Alerts, Harm, HarmRules, JudgedLabel, LabelCondition, LabelConditionError};
pub use judge::{Judgement, Why, WhyNot};
pub use policies::{Breaker, Policies, Rules};
pub use problem::{Problem, Problems};
pub use quiet_hours::QuietHours;
pub use self_harm::SelfHarmRules;
pub use setting::Setting;
pub use severities::Severities;
