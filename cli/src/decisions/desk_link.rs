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

use crate::common::aws_args::{ConnectionArgs, endpoint_url};
use crate::common::connection::{Connection, deadline};
use crate::common::display::print;
use crate::common::runtime::block_on;

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
    #[arg(long, value_name = "URL", env = "MODSTREAM_DESK_URL", value_parser = endpoint_url)]
    pub(crate) desk_url: String,
    /// The secret that signs links, by its name or ARN
    #[arg(long, value_name = "ARN", env = "MODSTREAM_LINK_KEY_SECRET", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) link_key_secret: String,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

impl DeskLinkArgs {
    /// Runs `modstream desk-link`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let signer = block_on(async {
            let connection = Connection::open(&self.connection).await?;
            let keys = Keys::new(connection.clients().secrets(), SystemClock, &self.link_key_secret);
            Ok(Box::pin(keys.signer(deadline())).await?)
        })?;
        let claim = Claim::SignIn { id: Uuid::new_v4(), moderator: self.moderator.clone() };
        let expires = SystemClock.now() + SignedDuration::from_hours(i64::from(self.hours));
        let link = signer.link(&self.desk_url, &claim, expires).context("a sign-in is always a link")?;
        print(&format!("{link}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
