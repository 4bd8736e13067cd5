//! Following a pointer: what is in use, and when it changes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use modstream_platform::ETag;

use crate::pointer::Pointer;

/// A place that versions and the pointer to one of them come from.
pub(crate) trait Source {
    /// What a version holds.
    type Version;
    /// Why it can't be had.
    type Error;

    /// Reads the pointer, unless it still has the tag `known`.
    async fn pointer(&self, known: Option<&ETag>) -> Result<Pointer, Self::Error>;

    /// Loads and checks a version.
    async fn load(&self, version: &str) -> Result<Self::Version, Self::Error>;

    /// Whether the error is about a call, and says nothing about what was asked for.
    fn is_of_a_call(error: &Self::Error) -> bool;
}

/// What follows a pointer.
#[derive(Debug)]
pub(crate) struct Follower<T> {
    in_use: Option<(String, Arc<T>)>,
    tag: Option<ETag>,
    /// None until the pointer was looked at.
    checked: Option<Timestamp>,
}

impl<T> Follower<T> {
    pub(crate) fn new() -> Self {
        Follower { in_use: None, tag: None, checked: None }
    }

    /// What is in use; none while the bucket has named nothing that can be used.
    pub(crate) fn in_use(&self) -> Option<&Arc<T>> {
        self.in_use.as_ref().map(|(_, content)| content)
    }

    /// The version in use.
    pub(crate) fn version(&self) -> Option<&str> {
        self.in_use.as_ref().map(|(version, _)| version.as_str())
    }

    /// Whether the pointer was never looked at.
    pub(crate) fn is_new(&self) -> bool {
        self.checked.is_none()
    }

    /// Whether it is time to look at the pointer again.
    pub(crate) fn is_due(&self, now: Timestamp, check_every: SignedDuration) -> bool {
        self.checked.is_none_or(|checked| now.duration_since(checked) >= check_every)
    }

    /// Notes that the pointer was looked at.
    pub(crate) fn checked_at(&mut self, now: Timestamp) {
        self.checked = Some(now);
    }

    /// Looks at the pointer, and loads what it names. A version that can't be used leaves in use what was; where nothing was,
    /// the version before it, as others still have it.
    ///
    /// # Errors
    /// Where pointer or version can't be read or used.
    pub(crate) async fn follow<S: Source<Version = T>>(&mut self, source: &S) -> Result<(), S::Error> {
        match source.pointer(self.tag.as_ref()).await? {
            Pointer::Unchanged => {}
            Pointer::Missing => {
                self.in_use = None;
                self.tag = None;
            }
            Pointer::To { version, previous, tag } => {
                if self.version() != Some(version.as_str()) {
                    match source.load(&version).await {
                        Ok(content) => self.in_use = Some((version, Arc::new(content))),
                        Err(error) => {
                            if self.in_use.is_none()
                                && !S::is_of_a_call(&error)
                                && let Some(previous) = previous
                            {
                                match source.load(&previous).await {
                                    Ok(content) => self.in_use = Some((previous, Arc::new(content))),
                                    Err(error) if S::is_of_a_call(&error) => return Err(error),
                                    Err(_) => {}
                                }
                            }
                            return Err(error);
                        }
                    }
                }
                self.tag = Some(tag);
            }
        }
        Ok(())
    }
}
