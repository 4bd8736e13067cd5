use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use modstream_gateway::Refusal;
use modstream_platform::deliver::secret;
use modstream_platform::{Clock, Secrets, Stage};

/// How old the secrets may be before they are looked at again.
const FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);
/// What Coral is told where there is nothing to check its signature with.
const TOLD: &str = "the secret by which Coral signs can't be read";

/// The secrets by which Coral signs: a line each of a secret's current value, and of the one before, so that it can be rotated.
#[derive(Debug)]
pub(crate) struct CoralSecret<K> {
    secrets: K,
    id: String,
    read: Mutex<Option<(Timestamp, Vec<String>)>>,
}

impl<K: Secrets> CoralSecret<K> {
    pub(crate) fn new(secrets: K, id: String) -> Self {
        CoralSecret { secrets, id, read: Mutex::default() }
    }

    /// The lines. Where the secret can't be read any more, those that were last read.
    ///
    /// # Errors
    /// Where it can't be read, and was not before.
    pub(crate) async fn lines<C: Clock>(&self, clock: &C, deadline: Timestamp) -> Result<Vec<String>, Refusal> {
        let now = clock.now();
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, lines)) = &known
            && now.duration_since(*read) < FRESH_FOR
        {
            return Ok(lines.clone());
        }
        match self.read(clock, deadline).await {
            Ok(lines) => {
                *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, lines.clone()));
                Ok(lines)
            }
            Err(refusal) => known.map(|(_, lines)| lines).ok_or(refusal),
        }
    }

    async fn read<C: Clock>(&self, clock: &C, deadline: Timestamp) -> Result<Vec<String>, Refusal> {
        let mut lines = Vec::new();
        for stage in [Stage::Current, Stage::Previous] {
            let value = secret(&self.secrets, clock, deadline, &self.id, stage).await;
            let value = value.map_err(|error| Refusal::of_call(TOLD, &error))?.unwrap_or_default();
            lines.extend(value.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
        if lines.is_empty() {
            let cause = format!("the secret {} has no value: put Coral's signing secret there", self.id);
            return Err(Refusal::broken(TOLD, cause));
        }
        Ok(lines)
    }
}
