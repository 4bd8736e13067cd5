//! `modstream desk-link`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jiff::SignedDuration;
use modstream_decisions::moderator;
use modstream_links::{Claim, Keys};
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use uuid::Uuid;

use crate::common::aws_args::endpoint_url;
use crate::common::connection::deadline;
use crate::common::display::print;
use crate::common::reached::{ReachArgs, Reached};
use crate::common::runtime::block_on;
use crate::serve::data::{DESK_URL, LINK_KEY};

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream desk-link --moderator maja --hours 4

The link is printed and kept nowhere. It signs in once; give it to that moderator alone.")]
pub(crate) struct DeskLinkArgs {
    /// Who signs in: a pseudonym of at most 40 characters
    #[arg(long, value_name = "NAME", value_parser = moderator)]
    pub(crate) moderator: String,
    /// How long the link can be used
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=72))]
    pub(crate) hours: u32,
    /// The desk's address
    #[arg(long, value_name = "URL", env = "MODSTREAM_DESK_URL", value_parser = endpoint_url, required_unless_present = "data")]
    pub(crate) desk_url: Option<String>,
    /// The secret that signs links, by its name or ARN
    #[arg(long, value_name = "ARN", env = "MODSTREAM_LINK_KEY_SECRET", value_parser = NonEmptyStringValueParser::new(), required_unless_present = "data")]
    pub(crate) link_key_secret: Option<String>,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

impl DeskLinkArgs {
    /// Runs `modstream desk-link`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (signer, desk_url) = block_on(async {
            let system = Reached::open(&self.reach).await?;
            // A data folder knows its desk and has one key, whatever the environment says of another system.
            let (secret, desk_url) = match system.here() {
                Some(data) => (Some(LINK_KEY.to_owned()), data.database.note(DESK_URL)?),
                None => (self.link_key_secret.clone(), self.desk_url.clone()),
            };
            let (secret, desk_url) = secret.zip(desk_url).context("`modstream serve` has not run on the folder yet")?;
            let keys = Keys::new(system.secrets(), SystemClock, secret);
            anyhow::Ok((Box::pin(keys.signer(deadline())).await?, desk_url))
        })?;
        let claim = Claim::SignIn { id: Uuid::new_v4(), moderator: self.moderator.clone() };
        let expires = SystemClock.now() + SignedDuration::from_hours(i64::from(self.hours));
        let link = signer.link(&desk_url, &claim, expires).context("a sign-in is always a link")?;
        print(&format!("{link}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
