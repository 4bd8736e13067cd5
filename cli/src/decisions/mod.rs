//! Moderators' decisions: where they are taken, and how they come out of a system.

#[cfg(feature = "aws")]
pub(crate) mod decide;
pub(crate) mod desk;
#[cfg(feature = "aws")]
pub(crate) mod desk_link;
#[cfg(feature = "aws")]
pub(crate) mod feedback;
#[cfg(feature = "aws")]
pub(crate) mod pull;
pub(crate) mod serve;
#[cfg(feature = "aws")]
pub(crate) mod waiting;
