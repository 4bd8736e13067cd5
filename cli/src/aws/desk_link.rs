//! `modstream desk-link`.

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::SignedDuration;
use modstream_links::{Claim, Keys};
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;

use super::args::DeskLinkArgs;
use super::connection::deadline;
use super::{Connection, block_on};
use crate::display::print;

pub(crate) fn run(args: &DeskLinkArgs) -> anyhow::Result<ExitCode> {
    let signer = block_on(async {
        let connection = Connection::open(&args.connection).await?;
        let keys = Keys::new(connection.clients().secrets(), SystemClock, &args.link_key_secret);
        Ok(Box::pin(keys.signer(deadline())).await?)
    })?;
    let claim = Claim::SignIn { moderator: args.moderator.clone() };
    let expires = SystemClock.now() + SignedDuration::from_hours(i64::from(args.hours));
    let link = signer.link(&args.desk_url, &claim, expires).context("a sign-in is always a link")?;
    print(&format!("{link}\n"))?;
    Ok(ExitCode::SUCCESS)
}
