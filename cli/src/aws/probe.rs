//! `modstream probe`: a comment that always alerts, to see that the whole way works.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use modstream_events::{Comment, Event, PROBE_BODY, ids};
use modstream_platform::Clock as _;
use modstream_platform::PutRecord;
use modstream_platform::aws::SystemClock;
use modstream_platform::deliver::{Delivery, put_all};
use serde_json::json;

use super::args::ProbeArgs;
use super::connection::deadline;
use super::{Connection, block_on};
use crate::display::print;

pub(crate) fn run(args: &ProbeArgs) -> anyhow::Result<ExitCode> {
    block_on(async {
        let connection = Connection::open(&args.connection).await?;
        let stream = connection.clients().stream(&args.stream);
        let now = SystemClock.now();
        // Each probe is a comment of its own, so each alerts.
        let comment_id = format!("probe-{}", now.as_nanosecond());
        let id = ids::sent_comment(&args.source, &comment_id).to_string();
        let comment = Comment {
            id: Some(comment_id.as_str().into()),
            subreddit: args.subreddit.as_deref().map(Into::into),
            body: Some(PROBE_BODY.into()),
            created_utc: Some(now.as_second()),
            ..Comment::default()
        };
        let data = Event::new(id.clone(), args.source.as_str(), now, comment).encode();
        let record = PutRecord { partition_key: comment_id.clone(), data };
        let delivered = Box::pin(put_all(&stream, &SystemClock, deadline(), vec![record])).await;
        match delivered.into_iter().next() {
            Some(Delivery::Stored { .. }) => {}
            Some(Delivery::Failed(error)) => {
                return Err(error).with_context(|| format!("the stream {} takes no probe", args.stream));
            }
            _ => bail!("the stream {} takes no probe", args.stream),
        }
        if args.json {
            return Ok(print(&format!("{}\n", json!({ "stream": args.stream, "comment_event": id })))?);
        }
        Ok(print(&format!(
            "a probe is on {}, comment event {id}\nits alert has the attribute probe=true and severity high: modstream tail alerts\n",
            args.stream
        ))?)
    })?;
    Ok(ExitCode::SUCCESS)
}
