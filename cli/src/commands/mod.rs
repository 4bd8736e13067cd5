pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod score;
pub(crate) mod train;

use std::path::Path;

use modstream_corpus::Reader;
use modstream_trainer::LabelledComments;

use crate::progress::Progress;

/// How many bad records an error names.
const NAMED: usize = 5;

/// Reads comments with verdicts. Every record must be good: a verdict that is lost silently would change the model.
fn labelled(path: &Path) -> anyhow::Result<LabelledComments> {
    let mut comments = LabelledComments::default();
    let mut bad: Vec<String> = Vec::new();
    let mut count = 0;
    let progress = Progress::new("reading comments", None);
    for row in Reader::open(path)? {
        let problem = match row {
            Ok(row) => comments.push(&row).err().map(|error| (row.line, error.to_string())),
            Err(error) => Some((error.line, error.to_string())),
        };
        if let Some((line, problem)) = problem {
            count += 1;
            if bad.len() < NAMED {
                bad.push(format!("line {line}: {problem}"));
            }
        }
        progress.at(comments.len() as u64);
    }
    progress.finish();
    if count > 0 {
        let more = count - bad.len();
        let and_more = if more > 0 { format!("; and {more} more") } else { String::new() };
        anyhow::bail!("{}: {count} records can't be used: {}{and_more}", path.display(), bad.join("; "));
    }
    Ok(comments)
}
