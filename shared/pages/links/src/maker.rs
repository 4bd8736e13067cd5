use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use modstream_events::{Action, Links};
use modstream_ledger::AlertKey;
use modstream_platform::environment::{Environment, Variable, VariableError};
use modstream_platform::{Clock, Secrets};

use crate::{Claim, KeyError, Keys, Signer};

/// How long links in alerts and digests hold.
pub const VALID_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The forum whose paths permalinks are, where no other is set.
pub const FORUM: &str = "https://www.reddit.com";

/// Reads `FORUM_URL`: where permalinks lead that are paths, without a slash at the end.
///
/// # Errors
/// Where it is no address.
pub fn forum(environment: Environment<'_>) -> Result<String, VariableError> {
    let forum = Variable { name: "FORUM_URL", wanted: "the forum's address", example: FORUM };
    Ok(environment.optional(forum, web_address)?.unwrap_or_else(|| FORUM.to_owned()))
}

fn web_address(text: &str) -> Option<String> {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web.then(|| text.trim_end_matches('/').to_owned())
}

/// Where links lead, and what signs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSettings {
    /// `LINKS_BASE_URL`: what they begin with.
    pub base: String,
    /// `LINK_KEY_SECRET`: the secret whose text signs them.
    pub secret: String,
}

impl LinkSettings {
    /// Reads the settings; none where there are no pages to lead to.
    ///
    /// # Errors
    /// Where there is an address and no key, or an address that is none.
    pub fn read(environment: Environment<'_>) -> Result<Option<Self>, VariableError> {
        let base = Variable {
            name: "LINKS_BASE_URL",
            wanted: "the address of the pages that take decisions",
            example: "https://abc.lambda-url.eu-central-1.on.aws",
        };
        let Some(base) = environment.optional(base, web_address)? else { return Ok(None) };
        let secret = environment.required(Variable {
            name: "LINK_KEY_SECRET",
            wanted: "the ARN of the secret that signs links",
            example: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:modstream-link-key",
        })?;
        Ok(Some(LinkSettings { base, secret }))
    }

    /// Reads the key.
    ///
    /// # Errors
    /// Where the secret can't be read, or is weak.
    pub async fn renewed<S: Secrets, C: Clock>(
        &self,
        secrets: S,
        clock: C,
        deadline: Timestamp,
    ) -> Result<RenewedLinks<S, C>, KeyError> {
        let keys = Keys::new(secrets, clock, &self.secret);
        let maker = LinkMaker::new(self.base.clone(), keys.signer(deadline).await?);
        Ok(RenewedLinks { keys, maker })
    }
}

/// A maker of links whose key follows its secret.
#[derive(Debug)]
pub struct RenewedLinks<S, C> {
    keys: Keys<S, C>,
    maker: LinkMaker,
}

impl<S: Secrets, C: Clock> RenewedLinks<S, C> {
    /// The maker, for whoever makes links; it signs with what was last read.
    pub fn maker(&self) -> LinkMaker {
        self.maker.clone()
    }

    /// Looks whether there is a new key, at most once a minute: for each invocation. Where the secret can't be read, the key
    /// that was last read stays.
    pub async fn renew(&self, deadline: Timestamp) {
        if let Ok(signer) = self.keys.signer(deadline).await {
            *self.maker.signer.write().unwrap_or_else(PoisonError::into_inner) = signer;
        }
    }
}

/// Makes the links of alerts and digests.
#[derive(Clone, Debug)]
pub struct LinkMaker {
    base: String,
    /// One for all clones.
    signer: Arc<RwLock<Arc<Signer>>>,
}

impl LinkMaker {
    /// Links that begin with `base`, signed by `signer`.
    pub fn new(base: impl Into<String>, signer: Arc<Signer>) -> Self {
        LinkMaker { base: base.into(), signer: Arc::new(RwLock::new(signer)) }
    }

    /// Where to decide about an alert, from `now` on for a week; none where its name is not as publishers make them.
    pub fn alert(&self, key: &AlertKey, action: Action, now: Timestamp) -> Option<String> {
        self.link(&Claim::to_alert(key, action)?, now)
    }

    /// Both of an alert's links.
    pub fn both(&self, key: &AlertKey, now: Timestamp) -> Option<Links<'static>> {
        let to = |action| self.alert(key, action, now);
        Some(Links { remove: to(Action::Remove)?.into(), keep: to(Action::Keep)?.into() })
    }

    /// Where a digest is shown as a page: by its window, so many minutes long, and its position among the window's digests.
    pub fn digest(&self, start: Timestamp, minutes: u16, position: u16, now: Timestamp) -> Option<String> {
        self.link(&Claim::Digest { start, minutes, position }, now)
    }

    fn link(&self, claim: &Claim, now: Timestamp) -> Option<String> {
        let signer = Arc::clone(&self.signer.read().unwrap_or_else(PoisonError::into_inner));
        signer.link(&self.base, claim, now.checked_add(VALID_FOR).ok()?)
    }
}
