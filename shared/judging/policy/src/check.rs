//! From a document to policies, or to all that is wrong with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use normal_form::name_key;

use crate::document::{
    BreakerDocument, Document, HarmDocument, LabelThreshold, QuietHoursDocument, RulesDocument, SelfHarmDocument,
    SeverityDocument,
};
use crate::locate::{Keys, is_json};
use crate::read::{from_json, from_toml};
use crate::self_harm::phrases;
use crate::{
    AlwaysTerm, AlwaysTerms, Breaker, Channel, Condition, HarmRules, LabelCondition, Policies, Problem, Problems,
    QuietHours, Rules, SelfHarmRules, Severities,
};

/// The policies' name where a document has none.
const DEFAULT_NAME: &str = "default";
/// A name goes into message attributes and ids.
const MAX_NAME_CHARS: usize = 64;
/// Nobody reads more alerts an hour.
const MAX_ALERTS_PER_HOUR: i64 = 10_000;
/// As many lines are read by somebody in a hurry.
const MAX_CONTACTS: usize = 5;
/// A line of a contact; an alert carries them all.
const MAX_CONTACT_CHARS: usize = 200;
/// A label never alerts.
const NEVER: &str = "none";
/// A larger share is no sample but a policy.
const MAX_EXPLORATION_SHARE: f64 = 0.1;
/// A breaker looks back an hour at most.
const MAX_BREAKER_WINDOW_MINUTES: i64 = 60;
/// Nobody waits for more alerts before a breaker may open.
const MAX_BREAKER_MIN_ALERTS: i64 = 1_000_000;
/// A breaker is open for a day at most: open ones are looked for among those of today and yesterday.
const MAX_BREAKER_OPEN_MINUTES: i64 = 24 * 60;

impl Policies {
    /// Reads a document: JSON where the text begins with a brace, else TOML.
    ///
    /// # Errors
    /// [`Problems`] holds all that is wrong with the document; of a text that can't be read, the first.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        // Windows' editors write it.
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let document = if is_json(text) { from_json(text) } else { from_toml(text) };
        let document = document.map_err(|problem| Problems(vec![problem]))?;
        Policies::checked(document).map_err(|all| {
            let keys = Keys::of(text);
            Problems(all.into_iter().map(|found| found.with_place(&keys)).collect())
        })
    }

    /// Checks a document.
    ///
    /// # Errors
    /// [`Problems`] holds all that is wrong with the document.
    pub fn check(document: Document) -> Result<Self, Problems> {
        Policies::checked(document).map_err(|all| Problems(all.into_iter().map(|found| found.problem).collect()))
    }

    fn checked(document: Document) -> Result<Self, Vec<Found>> {
        let mut checking = Checking::default();
        let name = document.name.clone().unwrap_or_else(|| DEFAULT_NAME.to_owned());
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
            checking.found(
                "name",
                "the name is empty, longer than 64 characters or no text: write a short name, or leave it out",
            );
        }
        let threshold = checking.threshold(&document.default, "default");
        if document.default.threshold.is_none() {
            checking.found("default.threshold", "it is missing: write for example threshold = \"precision>=0.9\"");
        }
        let default = Rules {
            harm: document.harm.as_ref().map(|harm| Arc::new(checking.harm(harm))).unwrap_or_default(),
            self_harm: document.self_harm.as_ref().map(|own| Arc::new(checking.self_harm(own))).unwrap_or_default(),
            ..Rules::new(threshold.unwrap_or(Condition::Probability(1.0)))
        };
        let default = checking.rules(&document.default, &default, "default");
        let mut subreddits: BTreeMap<String, Rules> = BTreeMap::new();
        let mut written_as: BTreeMap<String, &str> = BTreeMap::new();
        for (written, own) in &document.subreddits {
            let field = format!("subreddits.{written}");
            checking.subreddit(written, &field);
            let rules = checking.rules(own, &default, &field);
            let key = name_key(written).into_owned();
            if let Some(other) = written_as.insert(key.clone(), written) {
                checking.found(
                    &field,
                    format!("this subreddit has rules twice, as `{other}` and as `{written}`: keep one of the two"),
                );
                if let Some(found) = checking.found.last_mut() {
                    found.other = Some(format!("subreddits.{other}"));
                }
            }
            subreddits.insert(key, rules);
        }
        let max_alerts_per_hour = document
            .total
            .as_ref()
            .and_then(|total| checking.budget(total.max_alerts_per_hour, "total.max_alerts_per_hour"));
        let breaker = document.breaker.as_ref().map(|breaker| checking.breaker(breaker));
        if checking.found.is_empty() {
            Ok(Policies { document, name, default, subreddits, max_alerts_per_hour, breaker })
        } else {
            Err(checking.found)
        }
    }
}

/// A problem, and the other field that it is about, where there are two.
struct Found {
    problem: Problem,
    other: Option<String>,
}

impl Found {
    /// The problem with the place of its field, or of both.
    fn with_place(self, keys: &Keys<'_>) -> Problem {
        let Found { mut problem, other } = self;
        let place = keys.place_of(&problem.field);
        problem.line = place.map(|place| place.line);
        let other = other.and_then(|other| Some((keys.place_of(&other)?, other)));
        if let (Some(one), Some((two, other))) = (place, other) {
            let mut both = [(one, problem.field.as_str()), (two, other.as_str())];
            both.sort_by_key(|(place, _)| (place.line, place.column));
            let [first, second] = both.map(|(place, field)| {
                format!("as `{}` at {place}", field.split_once('.').map_or(field, |(_, name)| name))
            });
            problem.what = format!("this subreddit has rules twice, {first} and {second}: keep one of the two");
            problem.line = Some(one.line.max(two.line));
        }
        problem
    }
}

/// The problems found so far.
#[derive(Default)]
struct Checking {
    found: Vec<Found>,
}

impl Checking {
    fn found(&mut self, field: &str, what: impl Into<String>) {
        let problem = Problem { line: None, field: field.to_owned(), what: what.into() };
        self.found.push(Found { problem, other: None });
    }

    /// The value, if it is good.
    fn good<T: PartialOrd + fmt::Display>(&mut self, field: &str, value: T, is_good: bool, write: &str) -> Option<T> {
        if is_good {
            return Some(value);
        }
        self.found(field, format!("it is {value}: {write}"));
        None
    }

    fn threshold(&mut self, rules: &RulesDocument, at: &str) -> Option<Condition> {
        let parsed = rules.threshold.as_ref()?.parse::<Condition>();
        parsed.map_err(|error| self.found(&format!("{at}.threshold"), error.to_string())).ok()
    }

    /// The rules of a part of the document; `over` holds where they say nothing. The default's threshold was checked
    /// before.
    fn rules(&mut self, rules: &RulesDocument, over: &Rules, at: &str) -> Rules {
        let threshold = if at == "default" { None } else { self.threshold(rules, at) };
        let base_rate = rules.base_rate.as_ref().map(|rate| {
            let rate = *rate.value()?;
            let is_good = rate > 0.0 && rate < 1.0;
            let write = "write the share of comments that moderators remove, above 0 and below 1, such as 0.05";
            self.good(&format!("{at}.base_rate"), rate, is_good, write)
        });
        let share = rules.exploration_share.and_then(|share| {
            let is_good = (0.0..=MAX_EXPLORATION_SHARE).contains(&share);
            let write = "write a share from 0 to 0.1, such as 0.01: more would be a policy of its own";
            self.good(&format!("{at}.exploration_share"), share, is_good, write)
        });
        let severities = rules.severity.as_ref().and_then(|bands| self.severities(bands, &format!("{at}.severity")));
        let budget = rules.max_alerts_per_hour.as_ref();
        let budget = budget.map(|most| self.budget(*most.value()?, &format!("{at}.max_alerts_per_hour")));
        let quiet = rules.quiet_hours.as_ref();
        let quiet = quiet.map(|hours| self.quiet_hours(hours.value()?, &format!("{at}.quiet_hours")));
        let channels = rules.channels.clone().inspect(|channels| self.channels(channels, &format!("{at}.channels")));
        let exempt = rules.exempt_authors.clone().inspect(|names| {
            self.authors(names, &format!("{at}.exempt_authors"));
        });
        let always = rules.always.as_ref().map(|terms| {
            self.terms(terms, &format!("{at}.always"));
            AlwaysTerms::from(terms.clone())
        });
        Rules {
            threshold: threshold.unwrap_or(over.threshold),
            base_rate: base_rate.unwrap_or(over.base_rate),
            severities: severities.unwrap_or(over.severities),
            max_alerts_per_hour: budget.unwrap_or(over.max_alerts_per_hour),
            quiet_hours: quiet.unwrap_or_else(|| over.quiet_hours.clone()),
            channels: channels.unwrap_or_else(|| over.channels.clone()),
            exempt_authors: exempt.unwrap_or_else(|| over.exempt_authors.clone()),
            always: always.unwrap_or_else(|| over.always.clone()),
            exploration_share: share.unwrap_or(over.exploration_share),
            outside_support: rules.outside_support.unwrap_or(over.outside_support),
            harm: Arc::clone(&over.harm),
            self_harm: Arc::clone(&over.self_harm),
        }
    }

    fn subreddit(&mut self, written: &str, field: &str) {
        let bare = written.trim().trim_start_matches('/');
        let bare = bare.strip_prefix("r/").or_else(|| bare.strip_prefix("R/")).unwrap_or(bare).trim_end_matches('/');
        if bare.is_empty() {
            self.found(field, "a subreddit has a name: write for example [subreddits.science]");
        } else if bare != written {
            self.found(field, format!("write the subreddit's name without `r/` and spaces here: `{bare}`"));
        }
    }

    fn severities(&mut self, bands: &SeverityDocument, field: &str) -> Option<Severities> {
        let SeverityDocument { medium, high } = *bands;
        for (name, value) in [("medium", medium), ("high", high)] {
            let is_good = (0.0..=1.0).contains(&value);
            self.good(&format!("{field}.{name}"), value, is_good, "write a probability from 0 to 1, such as 0.7")?;
        }
        if medium > high {
            self.found(
                field,
                format!(
                    "medium begins at {medium}, above high at {high}: write medium = {high}, high = {medium}, or move one"
                ),
            );
            return None;
        }
        Some(Severities { medium, high })
    }

    fn budget(&mut self, budget: i64, field: &str) -> Option<u32> {
        let write = if budget == 0 {
            "write channels = [\"digest\"] to publish no alert by itself; for no budget write \"none\", and leave [total] out"
        } else {
            "write how many alerts may be published in an hour, from 1 to 10000, or leave it out"
        };
        let good = self.good(field, budget, (1..=MAX_ALERTS_PER_HOUR).contains(&budget), write)?;
        u32::try_from(good).ok()
    }

    fn quiet_hours(&mut self, hours: &QuietHoursDocument, field: &str) -> Option<QuietHours> {
        let QuietHoursDocument { from, to, time_zone, keep } = hours;
        let begin = self.clock(from, &format!("{field}.from"), "22:00");
        let end = self.clock(to, &format!("{field}.to"), "07:00");
        let zone = TimeZone::get(time_zone).map_err(|_| {
            self.found(
                &format!("{field}.time_zone"),
                format!(
                    "`{time_zone}` is no time zone: write an IANA name such as Europe/Berlin, America/New_York or UTC"
                ),
            );
        });
        let (from, to, time_zone) = (begin?, end?, zone.ok()?);
        if from == to {
            self.found(
                field,
                "quiet hours begin and end at the same time: write two times, or channels = [\"digest\"] for quiet all day",
            );
            return None;
        }
        let rest = (from.duration_since(to).as_mins()).rem_euclid(24 * 60);
        if rest < 60 {
            self.found(
                field,
                "quiet hours leave less than an hour of the day, in which a digest may never be due: write shorter ones, or \
                 channels = [\"digest\"] for quiet all day",
            );
            return None;
        }
        Some(QuietHours { from, to, time_zone, keep: keep.clone() })
    }

    fn clock(&mut self, text: &str, field: &str, example: &str) -> Option<Time> {
        let is_clock = text.len() == 5 && text.as_bytes()[2] == b':';
        let time = Time::strptime("%H:%M", text).ok().filter(|_| is_clock);
        if time.is_none() {
            self.found(field, format!("`{text}` is no time of a day: write hours and minutes, such as {example}"));
        }
        time
    }

    fn channels(&mut self, channels: &[Channel], field: &str) {
        if channels.iter().enumerate().any(|(position, channel)| channels[..position].contains(channel)) {
            self.found(field, "a channel is named twice: write each once");
        }
    }

    fn authors(&mut self, names: &[String], field: &str) {
        for name in names {
            let bare = name.trim().trim_start_matches('/');
            let bare = bare.strip_prefix("u/").unwrap_or(bare);
            if bare.is_empty() {
                self.found(field, "an author's name is empty: leave it out");
            } else if bare != name {
                self.found(field, format!("write the author's name without `u/` and spaces here: `{bare}`"));
            }
        }
    }

    fn terms(&mut self, terms: &[AlwaysTerm], field: &str) {
        if terms.iter().any(|term| term.as_str().trim().is_empty()) {
            self.found(
                field,
                "an empty text is in every comment: leave it out, or write threshold = 0 to alert on all",
            );
        }
    }

    fn harm(&mut self, harm: &HarmDocument) -> HarmRules {
        let HarmDocument { order, weights, alert, severity } = harm;
        for (field, label) in
            [("harm.weights", weights.keys().collect()), ("harm.alert", alert.keys().collect::<Vec<_>>())]
                .into_iter()
                .flat_map(|(field, labels)| labels.into_iter().map(move |label| (format!("{field}.{label}"), label)))
        {
            self.label(label, &field);
        }
        let order = order.clone().unwrap_or_default();
        for (index, label) in order.iter().enumerate() {
            let field = format!("harm.order[{index}]");
            self.label(label, &field);
            if order[..index].contains(label) {
                self.found(&field, format!("`{label}` is named twice: write each label once"));
            }
        }
        for (label, weight) in weights {
            let is_good = (0.0..=1.0).contains(weight);
            let write = "write a weight from 0, which counts for nothing, to 1";
            self.good(&format!("harm.weights.{label}"), *weight, is_good, write);
        }
        let mut conditions = BTreeMap::new();
        for (label, LabelThreshold(text)) in alert {
            let condition = if text.trim() == NEVER { Ok(None) } else { text.parse::<LabelCondition>().map(Some) };
            match condition {
                Ok(condition) => {
                    conditions.insert(label.clone(), condition);
                }
                Err(error) => self.found(&format!("harm.alert.{label}"), error.to_string()),
            }
        }
        let severities = severity.as_ref().and_then(|bands| self.severities(bands, "harm.severity"));
        let defaults = HarmRules::default();
        HarmRules {
            order,
            weights: weights.clone(),
            alert: conditions,
            severities: severities.unwrap_or(defaults.severities),
        }
    }

    fn label(&mut self, label: &str, field: &str) {
        if label.trim().is_empty() || label.trim() != label || label.chars().any(char::is_control) {
            self.found(
                field,
                "a label's name is empty, or has blanks around it: write it as the model has it, such as threat",
            );
        }
    }

    fn self_harm(&mut self, own: &SelfHarmDocument) -> SelfHarmRules {
        let SelfHarmDocument { phrases: given, more_phrases, contacts } = own;
        self.phrases(given.as_deref().unwrap_or_default(), "self_harm.phrases");
        self.phrases(more_phrases, "self_harm.more_phrases");
        if contacts.len() > MAX_CONTACTS {
            self.found(
                "self_harm.contacts",
                format!("there are {} contacts: write {MAX_CONTACTS} at most", contacts.len()),
            );
        }
        for (index, contact) in contacts.iter().enumerate() {
            let is_line = !contact.trim().is_empty() && !contact.chars().any(char::is_control);
            if !is_line || contact.chars().count() > MAX_CONTACT_CHARS {
                self.found(
                    &format!("self_harm.contacts[{index}]"),
                    format!("it is empty, longer than {MAX_CONTACT_CHARS} characters or no line: write whom to turn to, such as \
                             \"Samaritans: call 116 123 (UK)\""),
                );
            }
        }
        let mut all = given.clone().unwrap_or_else(phrases);
        all.extend(more_phrases.iter().cloned());
        SelfHarmRules { phrases: AlwaysTerms::from(all), contacts: contacts.clone() }
    }

    fn phrases(&mut self, phrases: &[AlwaysTerm], field: &str) {
        if phrases.iter().any(|phrase| phrase.as_str().trim().is_empty()) {
            self.found(field, "an empty phrase is in every comment: leave it out; the empty list [] looks for none");
        }
    }

    fn breaker(&mut self, breaker: &BreakerDocument) -> Breaker {
        let BreakerDocument { max_share, window, min_alerts, open_for } = breaker;
        let is_share = *max_share > 0.0 && *max_share <= 1.0;
        let write = "write the largest share of comments that may alert, above 0 and at most 1, such as 0.2";
        self.good("breaker.max_share", *max_share, is_share, write);
        let mut number = |name: &str, value: Option<i64>, default: i64, most: i64| {
            let value = value.unwrap_or(default);
            let write = format!("write a number from 1 to {most}, or leave it out for {default}");
            self.good(&format!("breaker.{name}"), value, (1..=most).contains(&value), &write).unwrap_or(default)
        };
        let window = number("window", *window, 5, MAX_BREAKER_WINDOW_MINUTES);
        let min_alerts = number("min_alerts", *min_alerts, 50, MAX_BREAKER_MIN_ALERTS);
        let open_for = number("open_for", *open_for, 60, MAX_BREAKER_OPEN_MINUTES);
        Breaker {
            max_share: *max_share,
            window: SignedDuration::from_mins(window),
            min_alerts: min_alerts.unsigned_abs(),
            open_for: SignedDuration::from_mins(open_for),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with the rules `text` under `[default]`, besides a threshold.
    fn wrong(text: &str) -> String {
        let text = format!("[default]\nthreshold = 0.7\n{text}");
        Policies::parse(&text).expect_err(&text).to_string()
    }

    #[test]
    fn each_mistake_is_named_with_its_line_and_what_to_write() {
        for (text, said) in [
            ("base_rate = 1.0", "line 3: default.base_rate: it is 1: write the share of comments"),
            ("exploration_share = 0.11", "line 3: default.exploration_share: it is 0.11: write a share from 0 to 0.1"),
            ("exploration_share = nan", "line 3: default.exploration_share: it is NaN"),
            ("max_alerts_per_hour = 0", "line 3: default.max_alerts_per_hour: it is 0: write channels = [\"digest\"]"),
            ("max_alerts_per_hour = -1", "it is -1: write how many alerts"),
            (
                "max_alerts_per_hour = \"20\"",
                "line 3: default.max_alerts_per_hour: invalid value: string \"20\", expected a value as docs/policies.md has it, or \"none\"",
            ),
            (
                "max_alerts_per_hour = 2.5",
                "default.max_alerts_per_hour: invalid type: floating point `2.5`, expected i64",
            ),
            ("quiet_hours = {}", "line 3: default.quiet_hours: missing field `from`"),
            ("quiet_hours = { from = 22 }", "default.quiet_hours.from: invalid type: integer `22`, expected a string"),
            (
                "severity = { medium = 0.9, high = 0.7 }",
                "line 3: default.severity: medium begins at 0.9, above high at 0.7",
            ),
            (
                "severity = { medium = 0.9, high = 1.7 }",
                "line 3: default.severity.high: it is 1.7: write a probability",
            ),
            ("always = [\"spam\", \" \"]", "line 3: default.always: an empty text is in every comment"),
            (
                "exempt_authors = [\"u/bot\"]",
                "line 3: default.exempt_authors: write the author's name without `u/` and spaces here: `bot`",
            ),
            ("channels = [\"digest\", \"digest\"]", "line 3: default.channels: a channel is named twice"),
            ("tresholds = 1", "line 3: default.tresholds: unknown field `tresholds`, expected one of `threshold`"),
            (
                "channels = [\"sms\"]",
                "line 3: default.channels[0]: unknown variant `sms`, expected `alerts` or `digest`",
            ),
            ("always = \"spam\"", "line 3: default.always: invalid type: string \"spam\", expected a sequence"),
            (
                "[subreddits.\"r/science\"]",
                "line 3: subreddits.r/science: write the subreddit's name without `r/` and spaces here: `science`",
            ),
            (
                "[subreddits.Science]\n[subreddits.science]",
                "line 4: subreddits.science: this subreddit has rules twice, as `Science` at line 3 column 13 and as `science` at line 4 column 13: keep one of the two",
            ),
            (
                "[subreddits.science]\nthreshold = 2",
                "line 4: subreddits.science.threshold: `2` is no policy: write a probability",
            ),
            ("[breaker]\nmax_share = 0", "line 4: breaker.max_share: it is 0: write the largest share"),
            (
                "[breaker]\nmax_share = 0.2\nopen_for = 0",
                "line 5: breaker.open_for: it is 0: write a number from 1 to 1440",
            ),
            ("[breaker]", "line 3: breaker: missing field `max_share`"),
            (
                "[harm]\nweights = { threat = 1.5 }",
                "line 4: harm.weights.threat: it is 1.5: write a weight from 0, which counts for nothing, to 1",
            ),
            ("[harm.weights]\nthreat = -0.1", "line 4: harm.weights.threat: it is -0.1: write a weight"),
            ("[harm.weights]\nthreat = nan", "line 4: harm.weights.threat: it is NaN: write a weight"),
            ("[harm]\nweights = { threat = 1, threat = 0.5 }", "line 4: harm.weights.threat: it is written twice"),
            ("[harm]\nweights = { threat = \"high\" }", "line 4: harm.weights.threat: invalid type: string \"high\""),
            (
                "[harm]\norder = [\"threat\", \"insult\", \"threat\"]",
                "line 4: harm.order[2]: `threat` is named twice: write each label once",
            ),
            (
                "[harm]\norder = [\" threat\"]",
                "line 4: harm.order[0]: a label's name is empty, or has blanks around it",
            ),
            (
                "[harm]\nalert = { threat = \"precision>=0.9\" }",
                "line 4: harm.alert.threat: `precision>=0.9` is no threshold of a label: write a probability",
            ),
            ("[harm]\nalert = { threat = 2 }", "line 4: harm.alert.threat: `2` is no threshold of a label"),
            ("[harm]\nalert = { threat = true }", "line 4: harm.alert.threat: invalid type: boolean `true`"),
            (
                "[harm]\nseverity = { medium = 0.9, high = 0.7 }",
                "line 4: harm.severity: medium begins at 0.9, above high at 0.7",
            ),
            ("[harm]\nweight = {}", "line 4: harm.weight: unknown field `weight`, expected one of `order`, `weights`"),
            ("[self_harm]\nphrases = [\" \"]", "line 4: self_harm.phrases: an empty phrase is in every comment"),
            ("[self_harm]\nmore_phrases = [\"\"]", "line 4: self_harm.more_phrases: an empty phrase"),
            ("[self_harm]\ncontacts = [\"a\", \"\"]", "line 4: self_harm.contacts[1]: it is empty"),
            (
                "[self_harm]\ncontacts = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]",
                "line 4: self_harm.contacts: there are 6 contacts: write 5 at most",
            ),
            ("[total]\nmax_alerts_per_hour = 0", "line 4: total.max_alerts_per_hour: it is 0"),
            ("[total\n", "line 3: "),
        ] {
            let found = wrong(text);
            assert!(found.contains(said), "{text}\n{found}");
        }
    }

    #[test]
    fn a_document_says_what_labels_mean_and_where_it_says_it() {
        let text = r#"
            [default]
            threshold = 0.7
            [harm]
            order = ["insult"]
            weights = { insult = 0.8 }
            alert = { threat = 0.5, insult = "none", toxic = "false_alarms<=0.05" }
            severity = { medium = 0.2, high = 0.5 }
            [self_harm]
            more_phrases = ["jump tonight"]
            contacts = ["Samaritans: 116 123"]
            [subreddits.science]
            threshold = 0.8
        "#;
        let policies = Policies::parse(text).expect("a document");
        let harm = &policies.for_subreddit(Some("science")).harm;
        assert_eq!((harm.weight("insult"), harm.weight("threat"), harm.weight("spam")), (0.8, 1.0, 0.0));
        assert_eq!(harm.condition("insult"), None);
        assert_eq!(harm.condition("threat"), Some(LabelCondition::Probability(0.5)));
        assert_eq!(harm.condition("toxic"), Some(LabelCondition::FalseAlarms(0.05)));
        assert_eq!(harm.severities, Severities { medium: 0.2, high: 0.5 });
        let unknown = policies.unknown_labels(["threat", "toxic"], "the model ours 0123");
        let said: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            ["harm.order[0]", "harm.weights.insult", "harm.alert.insult"].map(|field| format!(
                "{field}: the model ours 0123 has no label `insult`: write one of those that it has (threat, toxic), or leave \
                 it out"
            ))
        );
        let placed = Problems(unknown).in_text(text);
        assert_eq!(placed.0.iter().map(|problem| problem.line).collect::<Vec<_>>(), [Some(5), Some(6), Some(7)]);
        let own = &policies.default.self_harm;
        assert_eq!(own.contacts, ["Samaritans: 116 123"]);
        let finds = |text: &str| own.phrases.find(text).is_some();
        assert!(finds("I'll jump tonight") && finds("kill myself") && !finds("kill yourself"));
        let again = Policies::parse(std::str::from_utf8(&policies.canonical()).expect("text")).expect("a document");
        assert_eq!(again, policies);
        for (text, is_found) in [("phrases = []", false), ("phrases = [\"so tired\"]", false), ("", true)] {
            let text = format!("[default]\nthreshold = 0.7\n[self_harm]\n{text}");
            let own = Policies::parse(&text).expect("a document").default.self_harm;
            assert_eq!(own.phrases.find("i will kill myself").is_some(), is_found, "{text}");
        }
    }

    #[test]
    fn quiet_hours_have_two_times_and_a_time_zone() {
        let quiet = |from: &str, to: &str, zone: &str| {
            wrong(&format!("quiet_hours = {{ from = \"{from}\", to = \"{to}\", time_zone = \"{zone}\" }}"))
        };
        assert!(quiet("22:00", "22:00", "UTC").starts_with("line 3: default.quiet_hours: quiet hours begin and end"));
        assert!(quiet("00:00", "23:59", "UTC").contains("quiet hours leave less than an hour of the day"));
        assert!(quiet("09:30", "08:31", "UTC").contains("quiet hours leave less than an hour of the day"));
        let hour_left =
            "[default]\nthreshold = 0.5\nquiet_hours = { from = \"09:30\", to = \"08:30\", time_zone = \"UTC\" }";
        assert!(Policies::parse(hour_left).is_ok());
        assert!(
            quiet("22:00", "07:00", "Europe/Berln")
                .contains("time_zone: `Europe/Berln` is no time zone: write an IANA")
        );
        for clock in ["24:00", "7:00", "22h", "22:60", "", "22:00:00"] {
            assert!(quiet(clock, "07:00", "UTC").contains("from: `"), "{clock}");
        }
    }

    #[test]
    fn all_mistakes_are_named_at_once() {
        let found =
            Policies::parse("[default]\nthreshold = 2\nbase_rate = 0\n[breaker]\nmax_share = 2").expect_err("wrong");
        assert_eq!(found.0.iter().map(|it| it.line).collect::<Vec<_>>(), [Some(2), Some(3), Some(5)]);
        let missing = Policies::parse("[default]").expect_err("no threshold").to_string();
        assert!(missing.starts_with("line 1: default.threshold: it is missing: write for example"), "{missing}");
        assert!(Policies::parse("").expect_err("empty").to_string().contains("missing field `default`"));
    }

    #[test]
    fn json_is_read_too_and_says_the_line() {
        let policies = Policies::parse("{\"default\": {\"threshold\": 0.7}}").expect("good");
        assert_eq!((policies.name.as_str(), policies.default.threshold), ("default", Condition::Probability(0.7)));
        let error = |text: &str| Policies::parse(text).expect_err(text).to_string();
        let unknown = error("{\n\"default\": {\"threshold\": 0.7,\n\"x\": 1}}");
        assert!(unknown.starts_with("line 3: default.x: unknown field `x`, expected one of"), "{unknown}");
        assert!(!unknown.contains("column"), "{unknown}");
        assert!(
            error("{\"default\": {\"threshold\": 0.7}} {}").contains("there is text after the document's last brace")
        );
        assert_eq!(
            error("{\"default\": {\"threshold\": 0.7,\n \"base_rate\": 2}}").split(": write").next(),
            Some("line 2: default.base_rate: it is 2")
        );
    }

    #[test]
    fn what_is_written_twice_is_refused_with_both_places() {
        let error = |text: &str| Policies::parse(text).expect_err(text).to_string();
        assert_eq!(
            error(
                "{\"default\":{\"threshold\":0.8},\"subreddits\":{\n\"science\":{\"threshold\":0.9},\"science\":{}}}"
            ),
            "line 2: subreddits.science: it is written twice, at line 2 column 1 and at line 2 column 29: keep one of the two"
        );
        assert_eq!(
            error("{\"default\":{\"threshold\":0.8,\n\"threshold\":0.9}}"),
            "line 2: default.threshold: it is written twice, at line 1 column 13 and at line 2 column 1: keep one of the two"
        );
        assert!(
            error("{\"default\":{\"threshold\":0.8},\n\n\"default\":{}}")
                .starts_with("line 3: default: it is written twice")
        );
        for (text, field, first, second) in [
            ("[default]\nthreshold = 0.8\n threshold = 0.9\n", "default.threshold", (2, 1), (3, 2)),
            ("default.threshold = 0.8\ndefault.threshold = 0.9\n", "default.threshold", (1, 9), (2, 9)),
            ("name = 'a'\n\nname = 'b'\n[default]\n", "name", (1, 1), (3, 1)),
            ("[default]\n[subreddits.a]\n[subreddits.a]\n", "subreddits.a", (2, 13), (3, 13)),
            ("[default]\n[subreddits.a.severity]\n[subreddits.a]\n[subreddits.a]\n", "subreddits.a", (3, 13), (4, 13)),
            ("[subreddits.\"ü\"]\n[default]\n[subreddits.'ü']\n", "subreddits.ü", (1, 13), (3, 13)),
            ("[subreddits]\na = {}\n[subreddits.a]\n", "subreddits.a", (2, 1), (3, 13)),
            ("[subreddits.a]\n[subreddits]\na.threshold = 1\n", "subreddits.a", (1, 13), (3, 1)),
            ("[default]\n[default]\n", "default", (1, 2), (2, 2)),
            ("default = {}\n[default]\n", "default", (1, 1), (2, 2)),
            ("default.threshold = 1\n[default]\n", "default", (1, 1), (2, 2)),
            ("[a]\nb.c = 1\nb.d.e = 1\n[a.b.d]\n", "a.b.d", (3, 3), (4, 6)),
            ("[default]\nquiet_hours = { to = '1', to = '2' }", "default.quiet_hours.to", (2, 17), (2, 27)),
            (
                "[default]\nalways = ['a', { includes = 'b' }, { includes = 'c', 'includes' = 'd' }]",
                "default.always[2].includes",
                (2, 38),
                (2, 54),
            ),
        ] {
            let place = |(line, column)| format!("line {line} column {column}");
            let said = format!(
                "line {}: {field}: it is written twice, at {} and at {}: keep one of the two",
                second.0,
                place(first),
                place(second)
            );
            assert_eq!(error(text), said, "{text}");
        }
    }

    #[test]
    fn a_subreddit_in_two_cases_is_refused_with_both_places() {
        let error = |text: &str| Policies::parse(text).expect_err(text).to_string();
        let twice = |one: &str, other: &str| {
            format!(
                "this subreddit has rules twice, as `science` at {one} and as `SCIENCE` at {other}: keep one of the two"
            )
        };
        assert_eq!(
            error("[default]\nthreshold = 0.8\n[subreddits.science]\n\n[subreddits.SCIENCE]\n"),
            format!("line 5: subreddits.science: {}", twice("line 3 column 13", "line 5 column 13"))
        );
        assert_eq!(
            error("{\"default\":{\"threshold\":0.8},\"subreddits\":{\n\"science\":{},\n \"SCIENCE\":{}}}"),
            format!("line 3: subreddits.science: {}", twice("line 2 column 1", "line 3 column 2"))
        );
        assert!(
            error("[default]\nthreshold = 0.8\n[subreddits]\n\"Ü.x\" = {}\n\"ü.x\" = {}")
                .contains("as `Ü.x` at line 4 column 1")
        );
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        for text in [
            "{\"default\":{\"threshold\":0.8}}",
            "[default]\nthreshold = 0.8\n",
            "\n {\"default\":{\"threshold\":0.8}}",
        ] {
            assert_eq!(Policies::parse(&format!("\u{FEFF}{text}")), Policies::parse(text), "{text}");
            assert!(Policies::parse(text).is_ok(), "{text}");
        }
        let wrong = Policies::parse("\u{FEFF}[default]\nthreshold = 2\n").expect_err("no probability").to_string();
        assert!(wrong.starts_with("line 2: default.threshold"), "{wrong}");
    }

    #[test]
    fn a_subreddit_overrides_field_by_field_and_is_found_in_any_case() {
        let policies = Policies::parse(
            r#"
            name = "spring"
            [default]
            threshold = "precision>=0.9"
            base_rate = 0.05
            max_alerts_per_hour = 20
            always = ["spam"]
            channels = ["digest"]
            [subreddits.Science]
            threshold = 0.8
            always = []
            [total]
            max_alerts_per_hour = 100
            [breaker]
            max_share = 0.2
            "#,
        )
        .expect("good policies");
        let science = policies.for_subreddit(Some("sciENCE"));
        assert_eq!((science.threshold, science.base_rate), (Condition::Probability(0.8), Some(0.05)));
        assert_eq!((science.max_alerts_per_hour, science.always.as_slice().len()), (Some(20), 0));
        assert_eq!(science.channels, [Channel::Digest]);
        for other in [Some("askscience"), Some(""), None] {
            assert_eq!(policies.for_subreddit(other), &policies.default);
        }
        assert_eq!((policies.name.as_str(), policies.max_alerts_per_hour), ("spring", Some(100)));
        let breaker = policies.breaker.expect("a breaker");
        assert_eq!((breaker.window.as_mins(), breaker.min_alerts, breaker.open_for.as_mins()), (5, 50, 60));
    }

    #[test]
    fn a_subreddit_can_have_none_of_what_the_default_sets() {
        let policies = Policies::parse(
            r#"
            [default]
            threshold = 0.9
            base_rate = 0.05
            max_alerts_per_hour = 20
            quiet_hours = { from = "22:00", to = "07:00", time_zone = "UTC" }
            [subreddits.news]
            base_rate = "none"
            max_alerts_per_hour = "none"
            quiet_hours = "none"
            "#,
        )
        .expect("good policies");
        let news = policies.for_subreddit(Some("news"));
        assert_eq!((news.base_rate, news.max_alerts_per_hour, &news.quiet_hours), (None, None, &None));
        let others = policies.for_subreddit(Some("science"));
        assert_eq!((others.base_rate, others.max_alerts_per_hour), (Some(0.05), Some(20)));
        assert!(others.quiet_hours.is_some());
        let again = String::from_utf8(policies.canonical()).expect("text");
        assert_eq!(Policies::parse(&again), Ok(policies));
    }

    #[test]
    fn the_canonical_text_is_the_same_however_it_was_written_and_reads_as_the_same() {
        let written = [
            "[default]\nthreshold = 0.8\nbase_rate = 0.05\n[subreddits]\nb = {}\na = { base_rate = 0.5 }",
            "# A comment.\nsubreddits.a.base_rate = 0.5\nsubreddits.b = {}\ndefault = { base_rate = 5e-2, threshold = \"0.8\" }",
            r#"{"subreddits": {"b": {}, "a": {"base_rate": 0.5}}, "default": {"base_rate": 0.05, "threshold": 0.8}}"#,
        ];
        let [one, rest @ ..] = written.map(|text| Policies::parse(text).expect(text));
        for other in rest {
            assert_eq!(String::from_utf8(other.canonical()), String::from_utf8(one.canonical()));
        }
        let again = String::from_utf8(one.canonical()).expect("text");
        assert_eq!(Policies::parse(&again), Ok(one));
    }

    #[test]
    fn the_environments_policy_is_a_document_too() {
        let policy = crate::Policy::parse("precision>=0.9").expect("a policy");
        let policies = Policies::of(&policy, Severities { medium: 0.6, high: 0.8 });
        let text = String::from_utf8(policies.canonical()).expect("text");
        assert_eq!(Policies::parse(&text), Ok(policies));
    }
}
