//! What is to be known of labelled rows before a number of theirs is believed: each finding names rows to look at.

use std::collections::{BTreeMap, HashMap, HashSet};

use modstream_classifier::not_judged;
use plain_text::{agree, counted};
use proportions::Proportion;

use crate::folds::plain;

/// The most rows that a finding names.
const SHOWN_ROWS: usize = 5;
/// The most markers that are named.
const SHOWN_MARKERS: usize = 3;
/// How many characters of a text are shown.
const MAX_ROW_CHARS: usize = 80;
/// The most rows that markers are looked for in, evenly spaced.
const MAX_MARKER_ROWS: usize = 20_000;
/// The share of one class, less that of the other, that hold a term which tells the class by itself: a ROC-AUC of 0.95.
const TELLING: f64 = 0.9;
/// The share of a class that hold a term which no text of the other holds, for that to be no chance.
const FREQUENT: f64 = 0.1;
/// The fewest texts of each class that markers are looked for in.
const FEWEST_OF_A_CLASS: usize = 20;
/// The ROC-AUC on held-out texts that no honest text gives.
const TOO_GOOD: f64 = 0.995;
/// The fewest texts that such an area says something of.
const FEWEST_FOR_TOO_GOOD: usize = 100;
/// The share of texts with both verdicts above which nothing can be learned from them.
const MOST_CONTRADICTING: f64 = 0.1;
/// How many times likelier the other verdict must be than it is at random, for a verdict to be doubted.
const DOUBT: f64 = 10.0;
/// The share of comments that a model has seen above which its numbers are flattered: the filter alone says so of 1 in 100.
const MANY_SEEN: f64 = 0.03;

/// A row to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line in the file, counted from 1.
    pub line: u64,
    /// The beginning of the text.
    pub text: String,
    /// Whether the row has the label.
    pub verdict: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub what: What,
    /// The label; none where it is about texts with all their labels.
    pub label: Option<String>,
    /// Some of the rows that it is about.
    pub rows: Vec<Row>,
}

/// What may be wrong with labelled rows.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A term tells the label by itself.
    Marker {
        /// The term.
        term: String,
        /// The texts with the label that hold it.
        with: Proportion,
        /// The texts without the label that hold it.
        without: Proportion,
    },
    /// The label is told better than texts tell one, though no single term does.
    TooGood {
        /// The ROC-AUC on texts that the model had not seen.
        roc_auc: f64,
    },
    /// Equal texts have the label and have it not.
    Contradicting {
        /// The different texts.
        texts: usize,
        /// The rows with one of them, of all.
        rows: Proportion,
    },
    /// Texts are nearly equal to others. They are in one fold, so that none is measured by a model that learned from another.
    NearDuplicates {
        /// The groups of such texts.
        groups: usize,
        /// The rows in them, of all.
        rows: Proportion,
    },
    /// Verdicts that the model is sure of are otherwise.
    Doubtful {
        /// The rows with the label that speak against it.
        with: usize,
        /// The rows without the label that speak for it.
        without: usize,
    },
    /// The model was trained on some of the texts, so that its numbers are flattered.
    Seen {
        /// The rows with such a text, of all.
        rows: Proportion,
    },
}

impl What {
    /// The finding's name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            What::Marker { .. } => "marker",
            What::TooGood { .. } => "too_good",
            What::Contradicting { .. } => "contradicting",
            What::NearDuplicates { .. } => "near_duplicates",
            What::Doubtful { .. } => "doubtful",
            What::Seen { .. } => "seen_in_training",
        }
    }
}

impl Finding {
    /// What was found and what to do, in a sentence or two.
    pub fn in_words(&self) -> String {
        let has = |is: bool| match (&self.label, is) {
            (None, true) => "removed".to_owned(),
            (None, false) => "kept".to_owned(),
            (Some(label), true) => label.clone(),
            (Some(label), false) => format!("not {label}"),
        };
        let percent = |it: &Proportion| format!("{:.1} %", it.share() * 100.0);
        match &self.what {
            What::Marker { term, with, without } => format!(
                "`{term}` gives the label away: {} of what is {} holds it, and {} of what is {}. If a person or a program put it there afterwards, take it out of the texts",
                percent(with),
                has(true),
                percent(without),
                has(false)
            ),
            What::TooGood { roc_auc } => format!(
                "{}: a ROC-AUC of {roc_auc:.3} on texts it had not seen is better than texts tell. Look at what the model goes by (its card, `modstream explain`)",
                self.label.as_deref().unwrap_or("the verdicts")
            ),
            What::Contradicting { texts, rows } => format!(
                "{} ({}) {} equal to one with the other verdict: {}. Decide, or leave them out",
                counted(rows.part as usize, "row"),
                percent(rows),
                agree(rows.part, "is", "are"),
                counted(*texts, "text")
            ),
            What::NearDuplicates { groups, rows } => format!(
                "{} ({}) in {} differ by a word or a number: each group is in one fold, so that no text is measured by a model that learned from its like",
                counted(rows.part as usize, "row"),
                percent(rows),
                counted(*groups, "group")
            ),
            What::Doubtful { with, without } => format!(
                "the other rows speak against the label of {}: {with} {}, {without} {}. Look at these first",
                counted(with + without, "row"),
                has(true),
                has(false)
            ),
            What::Seen { rows } => format!(
                "the model was trained on {} of these {} ({}), so the numbers are flattered: take texts that it has not seen",
                rows.part,
                counted(rows.of as usize, "text"),
                percent(rows)
            ),
        }
    }
}

/// Labelled rows, as far as a label is known of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) label: Option<&'a str>,
    pub(crate) texts: &'a [&'a str],
    pub(crate) lines: &'a [u64],
    pub(crate) verdicts: &'a [bool],
}

impl Rows<'_> {
    fn row(&self, index: usize) -> Row {
        let text = self.texts[index].split_whitespace().collect::<Vec<_>>().join(" ");
        let text = match text.char_indices().nth(MAX_ROW_CHARS) {
            Some((end, _)) => format!("{}\u{2026}", text[..end].trim_end()),
            None => text,
        };
        Row { line: self.lines[index], text, verdict: self.verdicts[index] }
    }

    fn rows(&self, indices: impl IntoIterator<Item = usize>) -> Vec<Row> {
        indices.into_iter().take(SHOWN_ROWS).map(|index| self.row(index)).collect()
    }

    fn finding(&self, what: What, rows: Vec<Row>) -> Finding {
        Finding { what, label: self.label.map(str::to_owned), rows }
    }

    /// All that is found in rows whose scores, as log-odds, come from a model that had not seen them.
    pub(crate) fn check(&self, log_odds: &[f64], roc_auc: f64) -> Vec<Finding> {
        let mut found = self.markers();
        if found.is_empty() && roc_auc >= TOO_GOOD && self.texts.len() >= FEWEST_FOR_TOO_GOOD {
            found.push(self.finding(What::TooGood { roc_auc }, Vec::new()));
        }
        found.extend(self.contradicting());
        found.extend(self.doubtful(log_odds));
        found
    }

    /// The terms that tell the label by themselves.
    pub(crate) fn markers(&self) -> Vec<Finding> {
        let step = self.texts.len().div_ceil(MAX_MARKER_ROWS).max(1);
        let sample: Vec<usize> = (0..self.texts.len()).step_by(step).collect();
        let positives = sample.iter().filter(|&&row| self.verdicts[row]).count();
        let negatives = sample.len() - positives;
        if positives.min(negatives) < FEWEST_OF_A_CLASS {
            return Vec::new();
        }
        let mut counts: HashMap<String, [usize; 2]> = HashMap::new();
        for &row in &sample {
            for term in terms(self.texts[row]) {
                counts.entry(term).or_default()[usize::from(self.verdicts[row])] += 1;
            }
        }
        let tells = |&[without, with]: &[usize; 2]| {
            let (without, with) = (without as f64 / negatives as f64, with as f64 / positives as f64);
            (with - without).abs() >= TELLING || (with.min(without) == 0.0 && with.max(without) >= FREQUENT)
        };
        // What stands in one class alone must be missed in the other: ten would be there by chance.
        let is_no_chance = |&[without, with]: &[usize; 2]| {
            let expected = (without + with) as f64 * positives.min(negatives) as f64 / sample.len() as f64;
            expected >= 10.0
        };
        let mut telling: Vec<(String, [usize; 2])> =
            counts.into_iter().filter(|(_, counts)| tells(counts) && is_no_chance(counts)).collect();
        let share =
            |[without, with]: [usize; 2]| (with as f64 / positives as f64 - without as f64 / negatives as f64).abs();
        telling.sort_by(|(a, one), (b, other)| {
            // Of terms that say as much, a word before a mark, and what is longer, which says more.
            let says = |term: &String| (!term.contains(char::is_alphanumeric), std::cmp::Reverse(term.len()));
            share(*other).total_cmp(&share(*one)).then_with(|| says(a).cmp(&says(b))).then_with(|| a.cmp(b))
        });
        let mut named = HashSet::new();
        // Of terms that stand in the same texts, a word and the pairs with it, the first says all.
        telling.retain(|(_, counts)| named.insert(*counts));
        telling.truncate(SHOWN_MARKERS);
        let markers = telling.into_iter().map(|(term, [without, with])| {
            let holding = sample.iter().copied().filter(|&row| terms(self.texts[row]).contains(&term));
            let rows = self.rows(holding);
            let of = |part: usize, of: usize| Proportion { part: part as u64, of: of as u64 };
            self.finding(What::Marker { term, with: of(with, positives), without: of(without, negatives) }, rows)
        });
        markers.collect()
    }

    /// Equal texts with both verdicts.
    pub(crate) fn contradicting(&self) -> Option<Finding> {
        let mut of_text: HashMap<String, Vec<usize>> = HashMap::with_capacity(self.texts.len());
        for (row, text) in self.texts.iter().enumerate() {
            of_text.entry(plain(text)).or_default().push(row);
        }
        // Nothing can be said of an empty text.
        of_text.remove("");
        let is_both = |rows: &Vec<usize>| rows.iter().any(|&row| self.verdicts[row] != self.verdicts[rows[0]]);
        let mut both: Vec<Vec<usize>> = of_text.into_values().filter(is_both).collect();
        both.sort();
        let rows = both.iter().map(Vec::len).sum::<usize>() as u64;
        let what =
            What::Contradicting { texts: both.len(), rows: Proportion { part: rows, of: self.texts.len() as u64 } };
        // The first with each verdict of each text.
        let shown = both.iter().flat_map(|rows| {
            let other = rows.iter().copied().find(|&row| self.verdicts[row] != self.verdicts[rows[0]]);
            [Some(rows[0]), other].into_iter().flatten()
        });
        (rows > 0).then(|| self.finding(what, self.rows(shown)))
    }

    /// Rows whose verdict is many times less likely than at random, by a model that had not seen them.
    fn doubtful(&self, log_odds: &[f64]) -> Option<Finding> {
        let positives = self.verdicts.iter().filter(|verdict| **verdict).count() as f64;
        let base = (positives / (self.verdicts.len() as f64 - positives)).ln();
        let against = |row: usize| if self.verdicts[row] { base - log_odds[row] } else { log_odds[row] - base };
        // Of a text without a word a model knows its form alone.
        let is_doubted = |row: &usize| against(*row) >= DOUBT.ln() && not_judged(self.texts[*row]).is_none();
        let mut doubted: Vec<usize> = (0..self.texts.len()).filter(is_doubted).collect();
        doubted.sort_by(|&a, &b| against(b).total_cmp(&against(a)).then(a.cmp(&b)));
        let with = doubted.iter().filter(|&&row| self.verdicts[row]).count();
        let what = What::Doubtful { with, without: doubted.len() - with };
        (!doubted.is_empty()).then(|| self.finding(what, self.rows(doubted)))
    }

    /// What is said of groups of near-duplicates, given by the first of each text's.
    pub(crate) fn near_duplicates(&self, first: &[usize]) -> Option<Finding> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        first.iter().enumerate().for_each(|(row, &first)| members.entry(first).or_default().push(row));
        // Equal texts have always been in one fold, and nothing is to be said of them.
        let differs = |rows: &&Vec<usize>| rows.iter().any(|&row| plain(self.texts[row]) != plain(self.texts[rows[0]]));
        let groups: Vec<&Vec<usize>> = members.values().filter(|rows| rows.len() > 1).filter(differs).collect();
        let rows = groups.iter().map(|rows| rows.len()).sum::<usize>() as u64;
        let what =
            What::NearDuplicates { groups: groups.len(), rows: Proportion { part: rows, of: self.texts.len() as u64 } };
        let shown = groups.iter().flat_map(|rows| rows.iter().copied().take(2));
        (rows > 0).then(|| self.finding(what, self.rows(shown)))
    }

    /// What is said where a model was trained on some of the rows, as `is_seen` says.
    pub(crate) fn seen(&self, is_seen: impl Fn(&str) -> bool) -> Option<Finding> {
        let seen: Vec<usize> = (0..self.texts.len()).filter(|&row| is_seen(self.texts[row])).collect();
        let rows = Proportion { part: seen.len() as u64, of: self.texts.len() as u64 };
        (is_many(rows)).then(|| self.finding(What::Seen { rows }, self.rows(seen)))
    }
}

/// Whether so many of all texts are held by the filter of a model's training texts that chance does not explain it.
pub fn is_many(seen: Proportion) -> bool {
    seen.part > 2 && seen.share() > MANY_SEEN
}

/// Whether so many rows contradict others that nothing can be learned from them.
pub(crate) fn is_hopeless(finding: &Finding) -> bool {
    matches!(finding.what, What::Contradicting { rows, .. } if rows.share() > MOST_CONTRADICTING)
}

/// The terms that a text holds, each once: its words with what stands on them and without, pairs of words, marks, and white space at
/// its end.
fn terms(text: &str) -> HashSet<String> {
    let lower = text.to_lowercase();
    let mut terms: HashSet<String> = lower.split_whitespace().map(str::to_owned).collect();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    terms.extend(words.windows(2).map(|pair| pair.join(" ")));
    terms.extend(words.iter().map(|word| (*word).to_owned()));
    terms.extend(lower.chars().filter(|c| !c.is_alphanumeric() && *c != ' ').map(|c| match c {
        '\n' => "a new line".to_owned(),
        c if c.is_control() || c.is_whitespace() => format!("U+{:04X}", u32::from(c)),
        c => c.to_string(),
    }));
    if lower.ends_with(char::is_whitespace) {
        terms.insert("white space at the end".to_owned());
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[(String, bool)], log_odds: &[f64], roc_auc: f64) -> Vec<Finding> {
        let texts: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
        let verdicts: Vec<bool> = rows.iter().map(|row| row.1).collect();
        let lines: Vec<u64> = (2..).take(rows.len()).collect();
        Rows { label: None, texts: &texts, lines: &lines, verdicts: &verdicts }.check(log_odds, roc_auc)
    }

    /// Comments of random words, of which every third is removed.
    fn comments(count: usize) -> Vec<(String, bool)> {
        let mut random = fastrand::Rng::with_seed(5);
        let mut text = || (0..12).map(|_| format!("w{} ", random.u32(..200))).collect::<String>();
        (0..count).map(|row| (text().trim().to_owned(), row.is_multiple_of(3))).collect()
    }

    #[test]
    fn plain_comments_have_nothing_to_be_said_of() {
        assert_eq!(check(&comments(600), &[-0.7; 600], 0.8), []);
    }

    #[test]
    fn a_marker_is_named_with_its_shares_and_rows() {
        for (marker, term) in
            [("[mod] removed by", "mod"), ("\u{a7}", "\u{a7}"), ("\u{200b}", "\u{200b}"), ("REMOVED:", "removed")]
        {
            let mut rows = comments(300);
            for row in rows.iter_mut().filter(|row| row.1) {
                row.0 = format!("{marker} {}", row.0);
            }
            let found = check(&rows, &[-0.7; 300], 1.0);
            let Some(Finding { what: What::Marker { term: found_term, with, without }, rows, .. }) = found.first()
            else {
                panic!("{marker}: {found:?}")
            };
            assert!(found_term.contains(term), "{marker}: {found_term}");
            assert_eq!((with.share(), without.part, rows.len(), rows[0].line), (1.0, 0, SHOWN_ROWS, 2));
            assert!(found[0].in_words().contains("100.0 % of what is removed holds it, and 0.0 % of what is kept"));
            assert!(!found.iter().any(|it| matches!(it.what, What::TooGood { .. })), "one reason is enough");
        }
        // One that stands in a quarter of the kept comments, and in no other.
        let mut rows = comments(600);
        for (row, (text, removed)) in rows.iter_mut().enumerate() {
            if !*removed && row.is_multiple_of(4) {
                *text = format!("{text} /approved");
            }
        }
        let found = check(&rows, &[-0.7; 600], 0.8);
        assert!(found[0].in_words().contains("approved"), "{found:?}");
        // What no term tells is said by the area.
        let found = check(&comments(300), &[-0.7; 300], 1.0);
        assert_eq!(found.iter().map(|it| it.what.name()).collect::<Vec<_>>(), ["too_good"]);
    }

    #[test]
    fn equal_texts_with_both_verdicts_are_counted_and_named() {
        let mut rows = comments(100);
        rows.extend([("So  true".to_owned(), true), ("so  TRUE ".to_owned(), false), ("so  true".to_owned(), false)]);
        let found = check(&rows, &[-0.7; 103], 0.8);
        let [Finding { what: What::Contradicting { texts, rows: counted }, rows, .. }] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!((*texts, counted.part, counted.of), (1, 3, 103));
        assert_eq!(rows.iter().map(|row| (row.line, row.verdict)).collect::<Vec<_>>(), [(102, true), (103, false)]);
        assert!(!is_hopeless(&found[0]));
        let twice: Vec<(String, bool)> =
            comments(100).into_iter().flat_map(|(text, removed)| [(text.clone(), removed), (text, !removed)]).collect();
        let found = check(&twice, &[0.0; 200], 0.5);
        assert!(is_hopeless(&found[0]), "{found:?}");
    }

    #[test]
    fn verdicts_that_the_model_is_sure_of_otherwise_come_surest_first() {
        let rows = comments(90);
        let base = (30.0_f64 / 60.0).ln();
        let mut log_odds = vec![base; 90];
        // Rows 3 and 6 are removed, 1 and 2 kept.
        (log_odds[3], log_odds[1], log_odds[6], log_odds[2]) = (base - 4.0, base + 3.0, base - 2.0, base - 5.0);
        let found = check(&rows, &log_odds, 0.8);
        let [Finding { what, rows, .. }] = &found[..] else { panic!("{found:?}") };
        assert_eq!(*what, What::Doubtful { with: 1, without: 1 });
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [5, 3]);
    }

    #[test]
    fn near_duplicates_are_counted_where_they_differ() {
        let texts = ["a b", "a b", "c d!", "*c d*", "e"];
        let rows = Rows { label: None, texts: &texts, lines: &[1, 2, 3, 4, 5], verdicts: &[false; 5] };
        let first = crate::near_duplicates::groups(&texts);
        let found = rows.near_duplicates(&first).expect("some");
        assert_eq!(found.what, What::NearDuplicates { groups: 1, rows: Proportion { part: 2, of: 5 } });
        assert_eq!(found.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn texts_that_a_model_was_trained_on_are_said_where_they_are_many() {
        let texts: Vec<String> = (0..100).map(|number| format!("text {number}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let lines: Vec<u64> = (1..=100).collect();
        let rows = Rows { label: None, texts: &texts, lines: &lines, verdicts: &[false; 100] };
        assert_eq!(rows.seen(|text| text == "text 7"), None, "one of a hundred is the filter's own error");
        let found = rows.seen(|text| text.ends_with('7')).expect("many");
        assert_eq!(found.what, What::Seen { rows: Proportion { part: 10, of: 100 } });
        assert!(found.in_words().contains("trained on 10 of these 100 texts (10.0 %)"), "{}", found.in_words());
    }
}
