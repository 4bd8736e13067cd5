use std::sync::Arc;

use jiff::Timestamp;
use modstream_in_use::policies::{Following, InUse, StoreError};
use modstream_platform::{Clock, Objects};
use modstream_policy::{Channel, Condition, Policies, Policy, Severities};
use named_mutations::is_on;

use crate::DigestRules;

/// The policies in use, as far as digests go by them.
#[derive(Debug)]
pub struct Rules {
    policies: Following,
}

impl Default for Rules {
    fn default() -> Self {
        // A bucket without a document has neither quiet hours nor channels, whatever its threshold is.
        let policy = Policy { name: "default".to_owned(), condition: Condition::Probability(1.0) };
        Rules { policies: Following::new(Policies::of(&policy, Severities::default())) }
    }
}

impl Rules {
    /// The rules of now.
    ///
    /// # Errors
    /// Where it is not known yet whether the bucket has a document.
    pub async fn in_use<O: Objects, C: Clock>(
        &self,
        objects: &O,
        clock: &C,
        deadline: Timestamp,
    ) -> Result<RulesInUse, StoreError> {
        self.policies.snapshot(objects, clock, deadline).await.map(RulesInUse)
    }
}

/// The rules of one run.
#[derive(Clone, Debug)]
pub struct RulesInUse(Arc<InUse>);

impl RulesInUse {
    /// What holds for a subreddit at a time; the empty name stands for comments without one.
    pub fn of(&self, subreddit: &str, time: Timestamp) -> DigestRules {
        let rules = self.0.policies.for_subreddit(Some(subreddit).filter(|name| !name.is_empty()));
        DigestRules {
            quiet: rules.quiet_hours.as_ref().is_some_and(|hours| hours.hold_at(time)),
            leave_out: !rules.channels.contains(&Channel::Digest) && !is_on("digest-without-channel"),
        }
    }
}
