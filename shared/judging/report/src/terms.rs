use std::collections::HashMap;

use crate::subgroup::folded;

/// What terms contributed to scores, in sum. Spellings that differ in case only are one term, and all web addresses are.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    comments: usize,
    found: HashMap<String, Sum>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    contribution: f64,
    comments: usize,
    /// The number of the last comment that the term was found in.
    last: usize,
}

/// What a term did over all comments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Push {
    pub(crate) term: String,
    /// What the term adds to the log-odds of a comment that holds it.
    pub(crate) mean: f64,
    /// The same, spread over all comments.
    pub(crate) overall: f64,
    /// How many comments hold the term.
    pub(crate) comments: usize,
}

impl Terms {
    /// Adds the contributions to one comment's score.
    pub fn add<'a>(&mut self, contributions: impl IntoIterator<Item = (&'a str, f64)>) {
        self.comments += 1;
        for (term, contribution) in contributions {
            let sum = self.found.entry(normal(term)).or_default();
            sum.contribution += contribution;
            sum.comments += usize::from(sum.last != self.comments);
            sum.last = self.comments;
        }
    }

    /// The terms that push most in one direction (1 to removal, -1 to keeping), strongest first.
    pub(crate) fn strongest(&self, direction: f64, most: usize) -> Vec<Push> {
        let mut pushes: Vec<(&String, &Sum)> =
            self.found.iter().filter(|(_, sum)| sum.contribution * direction > 0.0).collect();
        pushes.sort_by(|a, b| b.1.contribution.abs().total_cmp(&a.1.contribution.abs()).then(a.0.cmp(b.0)));
        let push = |(term, sum): (&String, &Sum)| Push {
            term: term.clone(),
            mean: sum.contribution / sum.comments as f64,
            overall: sum.contribution / self.comments as f64,
            comments: sum.comments,
        };
        pushes.into_iter().take(most).map(push).collect()
    }
}

fn normal(term: &str) -> String {
    let is_link = |word: &&str| ["http://", "https://", "www."].iter().any(|start| word.starts_with(start));
    let folded = folded(term);
    if folded.split(' ').any(|word| is_link(&word)) {
        return folded
            .split(' ')
            .map(|word| if is_link(&word) { "(web address)" } else { word })
            .collect::<Vec<_>>()
            .join(" ");
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_counted_once_a_comment_however_it_is_spelled() {
        let mut terms = Terms::default();
        terms.add([("LOL", 0.5), ("lol", 0.25), ("see https://a.b/c", -1.0)]);
        terms.add([("Lol", 0.25), ("SEE www.d.e", -3.0), ("zero", 0.0)]);
        let push = |term: &str, mean, overall, comments| Push { term: term.to_owned(), mean, overall, comments };
        assert_eq!(terms.strongest(1.0, 9), [push("lol", 0.5, 0.5, 2)]);
        assert_eq!(terms.strongest(-1.0, 9), [push("see (web address)", -2.0, -2.0, 2)]);
    }

    #[test]
    fn what_pushes_many_comments_stands_before_what_pushes_one() {
        let mut terms = Terms::default();
        terms.add([("rare", 0.9), ("often", 0.5)]);
        terms.add([("often", 0.5)]);
        let order: Vec<String> = terms.strongest(1.0, 9).into_iter().map(|push| push.term).collect();
        assert_eq!(order, ["often", "rare"]);
        assert_eq!(terms.strongest(1.0, 1).len(), 1);
    }
}
