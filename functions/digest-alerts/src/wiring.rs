//! What others decide: a subreddit's rules, and where links lead.

use std::fmt;

use modstream_events::Action;
use modstream_ledger::AlertKey;
use modstream_ledger::digests::Digest;
use modstream_links::LinkMaker;
use modstream_platform::Clock;

/// What a policy says about a subreddit's digests at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DigestRules {
    /// Whether no digest goes out now: its alerts are in the first one after.
    pub quiet: bool,
    /// Whether the subreddit gets no digests.
    pub leave_out: bool,
}

/// Where an alert's action leads, where there is such a page.
pub type AlertLink = Box<dyn Fn(&AlertKey, Action) -> Option<String> + Send + Sync>;
/// Where a digest leads, by its position in its window, where there is such a page.
pub type DigestLink = Box<dyn Fn(&Digest, usize) -> Option<String> + Send + Sync>;

/// Makes links to pages that take decisions.
pub struct Links {
    alert: AlertLink,
    digest: DigestLink,
}

impl Links {
    /// Links made by these.
    pub fn new(alert: AlertLink, digest: DigestLink) -> Self {
        Links { alert, digest }
    }

    /// Links to the pages of a deployment.
    pub fn made_by<C: Clock + Clone + 'static>(maker: LinkMaker, clock: C) -> Self {
        let (other, now) = (maker.clone(), clock.clone());
        Links::new(
            Box::new(move |alert, action| maker.alert(alert, action, clock.now())),
            Box::new(move |digest, position| {
                let minutes = digest.end.duration_since(digest.start).as_mins();
                other.digest(digest.start, minutes.try_into().ok()?, position.try_into().ok()?, now.now())
            }),
        )
    }

    /// Links to nowhere: there are no pages.
    pub fn none() -> Self {
        Links::new(Box::new(|_, _| None), Box::new(|_, _| None))
    }

    /// Where to decide about an alert.
    pub fn alert(&self, alert: &AlertKey, action: Action) -> Option<String> {
        (self.alert)(alert, action)
    }

    /// Where a digest is shown as a page, by its position in its window.
    pub fn digest(&self, digest: &Digest, position: usize) -> Option<String> {
        (self.digest)(digest, position)
    }
}

impl Default for Links {
    fn default() -> Self {
        Links::none()
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Links")
    }
}
