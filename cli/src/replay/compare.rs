//! The functions with one model and policy beside another, or beside what was.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use modstream_events::{CommentEvent, CommentVersion};
use modstream_policy::{Policies, Severities};

use super::args::ReplayArgs;
use super::difference::Difference;
use super::functions::Functions;
use super::show::Shown;
use super::sides::{EventKey, Item, Known, Source, Was, event_key};
use crate::common::display::{one_line, print};
use crate::common::input;
use crate::common::output::OutputFile;
use crate::common::progress::Progress;
use crate::common::reading::LabelledArgs;
use crate::model::embedded;
use crate::pipeline::functions::Models;
use crate::policy::table;

/// The most comments of a chunk: its world takes about 5 KB a comment.
const COMMENTS_PER_CHUNK: usize = 10_000;
/// The most bytes of a chunk.
const BYTES_PER_CHUNK: usize = 64 << 20;

/// The functions with the model and policy to try.
fn tried(args: &ReplayArgs) -> anyhow::Result<Functions> {
    let document = args.policies.as_deref();
    let models = Models::read(args.model.model.as_deref(), &args.harm)?;
    let harm = models.harm.as_ref().map(|(_, manifest)| manifest);
    let policies = table::named_or(document, &args.policy(), harm)?;
    functions(args, args.model.model.as_deref(), models, policies, document)
}

/// The functions with the model and policy to compare with.
pub(crate) fn against(args: &ReplayArgs) -> anyhow::Result<Functions> {
    let policies = Policies::of(&args.against_policy(), Severities::default());
    let models = Models::read(args.against_model.as_deref(), &args.harm)?;
    functions(args, args.against_model.as_deref(), models, policies, None)
}

/// The functions with models, that of removals from `folder`, and policies, which stand in `document` where that is named.
fn functions(
    args: &ReplayArgs,
    folder: Option<&Path>,
    models: Models,
    policies: Policies,
    document: Option<&Path>,
) -> anyhow::Result<Functions> {
    let condition = document.map_or_else(|| policies.default.threshold.to_string(), input::name);
    let seen = models.files.seen_texts().with_context(|| embedded::name(folder))?;
    Ok(Functions { models, seen, base_rate: args.model.base_rate, policies, condition })
}

/// Replays, and shows the difference.
pub(crate) async fn compare(
    args: &ReplayArgs,
    page: Option<&OutputFile>,
    from: &str,
    source: &mut impl Source,
    mut was: impl Was,
) -> anyhow::Result<ExitCode> {
    let now = tried(args)?;
    let known = args.verdicts.as_deref().map(|path| verdicts(path, &args.labelled)).transpose()?;
    let verdicts = known.unwrap_or_default();
    let started = Instant::now();
    let difference = replay(source, &mut was, &now, &verdicts).await?;
    let mut left_out = source.left_out();
    left_out.unreadable.extend_from_slice(was.unreadable());
    if difference.comments == 0 {
        let cause = left_out.unreadable.first().map(|(name, error)| format!("; {name}: {error}"));
        let cause = cause.or_else(|| left_out.bad_examples.first().map(|example| format!("; {example}")));
        let cause = cause.or_else(|| left_out.young_archive().map(|said| format!("; {said}")));
        anyhow::bail!("{from}: there are no comments in it{}", cause.unwrap_or_default());
    }
    let (was, now) = (was.side(), now.named());
    let seconds = started.elapsed().as_secs_f64();
    let shown = Shown { from, was: &was, now: &now, difference: &difference, left_out: &left_out, seconds };
    if let Some(page) = page {
        page.write(&shown.page())?;
    }
    print(&if args.json { shown.json() } else { shown.text() })?;
    if let (Some(report), false) = (&args.report, args.json) {
        print(&format!("\nreport written to {}\n", report.display()))?;
    }
    let is_whole = left_out.unreadable.is_empty() && left_out.bad_rows == 0;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Verdicts by the comment's id.
fn verdicts(path: &Path, args: &LabelledArgs) -> anyhow::Result<HashMap<String, bool>> {
    let mut verdicts = HashMap::new();
    let mut is_any_removed = false;
    for row in input::comments(path, args.options())? {
        let row = row.map_err(|error| anyhow::anyhow!("line {}: {error}", error.line));
        let row = row.with_context(|| input::name(path))?;
        is_any_removed |= row.removed == Some(true);
        if let (Some(id), Some(removed)) = (row.comment.id, row.removed) {
            verdicts.insert(id.into_owned(), removed);
        }
    }
    args.check_removed_value(is_any_removed, [path])?;
    anyhow::ensure!(
        !verdicts.is_empty(),
        "{}: no row has both `id` and `removed`, so there are no verdicts in it",
        one_line(&input::name(path))
    );
    Ok(verdicts)
}

/// Replays all comments of a source.
async fn replay(
    source: &mut impl Source,
    was: &mut impl Was,
    now: &Functions,
    verdicts: &HashMap<String, bool>,
) -> anyhow::Result<Difference> {
    let mut difference = Difference::default();
    let mut seen: HashSet<EventKey> = HashSet::new();
    let progress = Progress::new("replaying", None);
    let mut is_end = false;
    while !is_end {
        let (mut items, mut comments, mut bytes) = (Vec::new(), Vec::new(), 0);
        while items.len() < COMMENTS_PER_CHUNK && bytes < BYTES_PER_CHUNK {
            let Some(item) = source.next().await? else {
                is_end = true;
                break;
            };
            match CommentEvent::decode(&item.data).map(CommentEvent::into_version) {
                Ok(Some(said)) => {
                    let known = known(&said, &item, verdicts);
                    if !seen.insert(known.key) {
                        difference.repeats += 1;
                        continue;
                    }
                    comments.push(known);
                }
                // That a comment is deleted or reported changes nothing about what a policy says of it.
                Ok(None) => {
                    difference.deletions_and_reports += 1;
                    continue;
                }
                // The function says what is wrong with it.
                Err(_) => difference.bad_records += 1,
            }
            bytes += item.data.len();
            items.push(item);
        }
        if items.is_empty() {
            continue;
        }
        let before = was.outcomes(&comments, &items).await?;
        let (after, quarantined) = now.run(&items).await?;
        difference.quarantined += quarantined;
        for comment in &comments {
            difference.add(comment, before.get(&comment.key), after.get(&comment.key));
            difference.was_trained_on.add(was.was_trained_on(&comment.body));
            difference.now_trained_on.add(now.was_trained_on(&comment.body));
        }
        progress.at(difference.comments);
    }
    progress.finish();
    Ok(difference)
}

fn known(said: &CommentVersion<'_>, item: &Item, verdicts: &HashMap<String, bool>) -> Known {
    let comment = &said.comment;
    let verdict = || verdicts.get(comment.id.as_deref()?).copied();
    Known {
        key: event_key(&said.source, &said.event_id),
        #[cfg(feature = "aws")]
        arrived: item.arrived.unwrap_or(said.time),
        subreddit: comment.subreddit.as_deref().map(str::to_owned),
        body: comment.body.as_deref().unwrap_or_default().to_owned(),
        removed: item.removed.or_else(verdict),
    }
}
