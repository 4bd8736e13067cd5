use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use crate::Claim;

/// The fewest bytes of a key: as many as the hash has.
pub const MIN_KEY_BYTES: usize = 32;

/// How many bytes of the HMAC a token carries.
const TAG_BYTES: usize = 16;
/// How many characters a token may have: more than the longest name needs.
const MAX_TOKEN_CHARS: usize = 512;

/// A key that could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of {bytes} bytes can be guessed: give the secret at least {MIN_KEY_BYTES} random ones")]
pub struct WeakKey {
    /// The key's length.
    pub bytes: usize,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum LinkError {
    /// The text is no token at all; most often a part of the link is missing.
    #[error("the link is not complete: copy all of it, to the last letter")]
    Malformed,
    /// Nobody with the key made the token.
    #[error("the link was not made here, or its key is no longer in use: ask for a new one")]
    Forged,
    /// The token was good once.
    #[error("the link has expired: ask for a new one")]
    Expired,
}

/// Makes tokens, and knows its own.
#[derive(Clone)]
pub struct Signer {
    current: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
}

impl std::fmt::Debug for Signer {
    /// Says nothing of the keys.
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Signer")
    }
}

impl Signer {
    /// Signs with `current`, and also accepts what was signed with `previous`.
    ///
    /// # Errors
    /// Where a key has less than [`MIN_KEY_BYTES`] bytes.
    pub fn new(current: &[u8], previous: Option<&[u8]>) -> Result<Self, WeakKey> {
        Ok(Signer { current: mac(current)?, previous: previous.map(mac).transpose()? })
    }

    /// A token that holds until `expires`, to the minute.
    pub fn sign(&self, claim: &Claim, expires: Timestamp) -> String {
        let mut bytes = claim.payload(expires);
        let tag = self.current.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend(&tag[..TAG_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A link at a site's address; none for what does not travel as a link.
    pub fn link(&self, base: &str, claim: &Claim, expires: Timestamp) -> Option<String> {
        let folder = claim.folder()?;
        Some(format!("{}/{folder}/{}", base.trim_end_matches('/'), self.sign(claim, expires)))
    }

    /// What a token proves. Compares in constant time.
    ///
    /// # Errors
    /// Where it proves nothing, or no longer.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claim, LinkError> {
        self.verify_until(token, now).map(|(claim, _)| claim)
    }

    /// The same, and until when it does.
    ///
    /// # Errors
    /// Where it proves nothing, or no longer.
    pub fn verify_until(&self, token: &str, now: Timestamp) -> Result<(Claim, Timestamp), LinkError> {
        if token.len() > MAX_TOKEN_CHARS {
            return Err(LinkError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| LinkError::Malformed)?;
        let (payload, tag) = bytes.split_last_chunk::<TAG_BYTES>().ok_or(LinkError::Malformed)?;
        let signed_by =
            |key: &Hmac<Sha256>| key.clone().chain_update(payload).verify_truncated_left(tag.as_slice()).is_ok();
        if !signed_by(&self.current) && !self.previous.as_ref().is_some_and(signed_by) {
            return Err(LinkError::Forged);
        }
        let (claim, expires) = Claim::read(payload).ok_or(LinkError::Malformed)?;
        if now >= expires { Err(LinkError::Expired) } else { Ok((claim, expires)) }
    }
}

/// What a token says, whoever made it. It proves nothing: for callers that need no proof, since they have the rights themselves.
pub fn decode_without_verifying(token: &str) -> Option<Claim> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (payload, _) = bytes.split_last_chunk::<TAG_BYTES>()?;
    Claim::read(payload).map(|(claim, _)| claim)
}

fn mac(key: &[u8]) -> Result<Hmac<Sha256>, WeakKey> {
    let weak = WeakKey { bytes: key.len() };
    if key.len() < MIN_KEY_BYTES {
        return Err(weak);
    }
    // HMAC takes keys of any length.
    Hmac::new_from_slice(key).map_err(|_| weak)
}
