//! What a document of policies says, read from its JSON and computed anew.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use modstream_events::{PROBE_BODY, PROBE_SOURCE, ids};
use serde_json::Value;

use super::json::{number, text};

/// A document of policies.
pub(super) struct Policies<'a>(pub(super) &'a Value);

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    Low,
    Medium,
    High,
}

impl Urgency {
    pub(super) fn name(self) -> &'static str {
        match self {
            Urgency::Low => "low",
            Urgency::Medium => "medium",
            Urgency::High => "high",
        }
    }
}

/// What is to become of a prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Pass,
    Alert(Urgency),
    /// It meets no policy, and belongs to this share of such predictions, about which moderators are asked.
    Explore(f64, Urgency),
}

/// A prediction at the base rate of its subreddit.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtBaseRate {
    pub(super) probability: f64,
    precision: f64,
    share: f64,
}

fn subreddit(data: &Value) -> Option<&str> {
    text(data, "/comment/subreddit").filter(|name| !name.is_empty())
}

fn odds(probability: f64) -> f64 {
    probability / (1.0 - probability)
}

impl Policies<'_> {
    pub(super) fn name(&self) -> &str {
        text(self.0, "/name").unwrap_or("default")
    }

    /// A subreddit's rule: its own where it has one, else the default's. `none` is no rule.
    fn rule(&self, subreddit: Option<&str>, name: &str) -> Option<&Value> {
        let all = self.0["subreddits"].as_object().into_iter().flatten();
        let own = all.filter(|(known, _)| subreddit.is_some_and(|wanted| wanted.eq_ignore_ascii_case(known)));
        let own = own.map(|(_, rules)| rules).next().and_then(|rules| rules.get(name));
        own.or_else(|| self.0["default"].get(name)).filter(|rule| rule.as_str() != Some("none"))
    }

    fn texts(&self, subreddit: Option<&str>, name: &str) -> Vec<&str> {
        let all = self.rule(subreddit, name).and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).collect()
    }

    /// What the data of a prediction event are where the subreddit's share of comments is removed. Recall and false positive
    /// rate stay as they are; the share of alerts is made of both, and the odds move by the ratio of the odds of removal.
    pub(super) fn at_base_rate(&self, data: &Value) -> AtBaseRate {
        let probability = number(data, "/probability");
        let point = |name: &str| number(data, &format!("/operating_point/{name}"));
        let (recall, share, own) = (point("recall"), point("share"), point("base_rate"));
        let wanted = self.rule(subreddit(data), "base_rate").and_then(Value::as_f64);
        let Some(wanted) = wanted.filter(|wanted| *wanted != own && 0.0 < own && own < 1.0) else {
            return AtBaseRate { probability, precision: point("precision"), share };
        };
        let false_alerts = ((share - recall * own) / (1.0 - own)).clamp(0.0, 1.0) * (1.0 - wanted);
        let right_alerts = recall * wanted;
        let moved = odds(probability) * odds(wanted) / odds(own);
        AtBaseRate {
            probability: moved / (1.0 + moved),
            precision: right_alerts / (right_alerts + false_alerts),
            share: right_alerts + false_alerts,
        }
    }

    /// What is to become of a prediction, by the data of its event.
    pub(super) fn judge(&self, data: &Value) -> Verdict {
        let (name, body) = (subreddit(data), text(data, "/comment/body").unwrap_or_default());
        if is_probe(data) {
            return Verdict::Alert(Urgency::High);
        }
        let author = text(data, "/comment/author").unwrap_or_default();
        if self.texts(name, "exempt_authors").iter().any(|exempt| exempt.eq_ignore_ascii_case(author)) {
            return Verdict::Pass;
        }
        let seen = self.at_base_rate(data);
        let leaves_alone = self.rule(name, "outside_support").and_then(Value::as_str) != Some("judged");
        let is_outside = leaves_alone && text(data, "/support").is_some();
        let says_nothing = !body.contains(char::is_alphanumeric);
        let urgency = match labels(data) {
            _ if says_nothing => Urgency::Low,
            Some(labels) => self.urgency_of_harm(labels),
            None if is_outside => Urgency::Low,
            None => self.urgency(name, seen.probability),
        };
        let lowered = body.to_lowercase();
        if self.phrases().iter().any(|phrase| holds(&lowered, phrase)) {
            return Verdict::Alert(Urgency::High);
        }
        let always = self.rule(name, "always").and_then(Value::as_array).into_iter().flatten();
        if always.into_iter().any(|term| holds(&lowered, term)) {
            return Verdict::Alert(urgency.max(Urgency::Medium));
        }
        if says_nothing {
            return Verdict::Pass;
        }
        // Each model says nothing of what it knows nothing of: of labels there are none then.
        let is_removal = !is_outside && self.meets(name, seen);
        if is_removal || labels(data).is_some_and(|labels| self.alerts_by_labels(labels)) {
            return Verdict::Alert(urgency);
        }
        if is_outside {
            return Verdict::Pass;
        }
        match self.rule(name, "exploration_share").and_then(Value::as_f64) {
            Some(share) if is_explored(data, share) => Verdict::Explore(share, urgency),
            _ => Verdict::Pass,
        }
    }

    fn meets(&self, subreddit: Option<&str>, seen: AtBaseRate) -> bool {
        let threshold = self.rule(subreddit, "threshold").cloned().unwrap_or_default();
        let Some(text) = threshold.as_str() else {
            return seen.probability >= threshold.as_f64().unwrap_or(f64::INFINITY);
        };
        let bound = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
        match (bound(text.strip_prefix("precision>=")), bound(text.strip_prefix("share<="))) {
            (Some(least), _) => seen.precision >= least,
            (_, Some(most)) => seen.share <= most,
            _ => seen.probability >= bound(Some(text)).unwrap_or(f64::INFINITY),
        }
    }

    /// What a label weighs: what the document says, or what is usual.
    fn weight(&self, label: &str) -> f64 {
        let usual = match label {
            "threat" => 1.0,
            "severe_toxic" => 0.9,
            "insult" | "toxic" => 0.45,
            "obscene" => 0.25,
            _ => 0.0,
        };
        self.0.pointer("/harm/weights").and_then(|own| own[label].as_f64()).unwrap_or(usual)
    }

    /// How harmful a comment with these labels is: the largest of weight times probability.
    pub(super) fn harm(&self, labels: &[Value]) -> f64 {
        let harm =
            |label: &Value| self.weight(text(label, "/label").unwrap_or_default()) * number(label, "/probability");
        labels.iter().map(harm).fold(0.0, f64::max)
    }

    fn urgency_of_harm(&self, labels: &[Value]) -> Urgency {
        let from = |name: &str, usual: f64| {
            self.0.pointer(&format!("/harm/severity/{name}")).and_then(Value::as_f64).unwrap_or(usual)
        };
        match self.harm(labels) {
            harm if harm >= from("high", 0.5) => Urgency::High,
            harm if harm >= from("medium", 0.3) => Urgency::Medium,
            _ => Urgency::Low,
        }
    }

    /// Whether one of the labels alerts: by what the document says of it, or, where it weighs anything, at 1 % of false alarms.
    fn alerts_by_labels(&self, labels: &[Value]) -> bool {
        labels.iter().any(|label| {
            let name = text(label, "/label").unwrap_or_default();
            match self.0.pointer("/harm/alert").and_then(|own| own.get(name)) {
                Some(Value::Number(least)) => {
                    least.as_f64().is_some_and(|least| number(label, "/probability") >= least)
                }
                Some(said) => {
                    let said = said.as_str().unwrap_or_default();
                    match said.strip_prefix("false_alarms<=").map(str::parse::<f64>) {
                        Some(Ok(most)) => number(label, "/false_alarms") <= most,
                        _ => said.parse::<f64>().is_ok_and(|least| number(label, "/probability") >= least),
                    }
                }
                None => self.weight(name) > 0.0 && number(label, "/false_alarms") <= 0.01,
            }
        })
    }

    /// The phrases of people who may harm themselves, as far as runs have comments with one.
    fn phrases(&self) -> Vec<Value> {
        let of = |name: &str| self.0.pointer(name).and_then(Value::as_array).cloned();
        let mut phrases = of("/self_harm/phrases").unwrap_or_else(|| vec!["kill myself".into()]);
        phrases.extend(of("/self_harm/more_phrases").unwrap_or_default());
        phrases
    }

    fn urgency(&self, subreddit: Option<&str>, probability: f64) -> Urgency {
        let rule = self.rule(subreddit, "severity");
        let from = |name: &str, usual: f64| rule.and_then(|rule| rule[name].as_f64()).unwrap_or(usual);
        if probability >= from("high", 0.9) {
            Urgency::High
        } else if probability >= from("medium", 0.7) {
            Urgency::Medium
        } else {
            Urgency::Low
        }
    }

    /// Whether a subreddit is quiet at a time, by the clocks of its zone.
    pub(super) fn is_quiet(&self, subreddit: Option<&str>, time: Timestamp) -> bool {
        let Some(hours) = self.rule(subreddit, "quiet_hours") else { return false };
        let zone = TimeZone::get(text(hours, "/time_zone").unwrap_or_default()).expect("a time zone");
        let clock = time.to_zoned(zone).strftime("%H:%M").to_string();
        let (from, to) = (text(hours, "/from").unwrap_or_default(), text(hours, "/to").unwrap_or_default());
        let (is_after, is_before) = (clock.as_str() >= from, clock.as_str() < to);
        if from <= to { is_after && is_before } else { is_after || is_before }
    }

    /// Whether an alert of this time and severity waits for the end of quiet hours.
    pub(super) fn waits(&self, subreddit: Option<&str>, time: Timestamp, severity: &str) -> bool {
        let kept = self.rule(subreddit, "quiet_hours").map(|hours| hours["keep"].clone()).unwrap_or_default();
        let is_kept = kept.as_array().into_iter().flatten().any(|kept| kept.as_str() == Some(severity));
        self.is_quiet(subreddit, time) && !is_kept
    }

    /// Whether a subreddit's alerts go out by `alerts` or `digest`.
    pub(super) fn has_channel(&self, subreddit: Option<&str>, channel: &str) -> bool {
        self.rule(subreddit, "channels").is_none() || self.texts(subreddit, "channels").contains(&channel)
    }

    /// How many alerts of a subreddit are published in an hour at most.
    pub(super) fn budget(&self, subreddit: Option<&str>) -> Option<u64> {
        self.rule(subreddit, "max_alerts_per_hour").and_then(Value::as_u64)
    }

    /// How many alerts of all subreddits are published in an hour at most.
    pub(super) fn total_budget(&self) -> Option<u64> {
        self.0.pointer("/total/max_alerts_per_hour").and_then(Value::as_u64)
    }

    /// The breaker's rules.
    pub(super) fn breaker(&self) -> Option<&Value> {
        self.0.get("breaker")
    }
}

/// Whether a text in small letters holds a term that always alerts: as a word of its own, or anywhere where the term says so. The
/// comments of runs are plain English.
fn holds(lowered: &str, term: &Value) -> bool {
    if let Some(part) = text(term, "/includes") {
        return lowered.contains(&part.to_lowercase());
    }
    let words = term.as_str().unwrap_or_default().to_lowercase();
    let goes_on = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    lowered.match_indices(&words).any(|(at, found)| {
        let (before, after) = (&lowered[..at], &lowered[at + found.len()..]);
        !goes_on(before.chars().next_back()) && !goes_on(after.chars().next())
    })
}

/// The labels of the data of a prediction event, where it has some and they say something.
pub(super) fn labels(data: &Value) -> Option<&Vec<Value>> {
    data["labels"].as_array().filter(|_| text(data, "/harm_support").is_none())
}

/// Whether the data of a prediction event are about the probe.
pub(super) fn is_probe(data: &Value) -> bool {
    text(data, "/comment_event/source") == Some(PROBE_SOURCE)
        && text(data, "/comment/body").is_some_and(|body| body.trim() == PROBE_BODY)
}

/// Whether a comment event is among this share of all, by the first 48 bits of its exploration's id without a policy.
fn is_explored(data: &Value, share: f64) -> bool {
    let field = |pointer: &str| text(data, pointer).unwrap_or_default();
    let id = ids::exploration(field("/comment_event/source"), field("/comment_event/id"), "");
    let first = (id.as_u128() >> 80) as f64;
    first < share * 2_f64.powi(48)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn prediction(probability: f64) -> Value {
        json!({
            "comment": {"subreddit": "Science", "author": "Somebody", "body": "Buy THIS"},
            "comment_event": {"source": "s", "id": "i"},
            "probability": probability,
            "operating_point": {"precision": 0.6, "recall": 0.3, "share": 0.05, "base_rate": 0.1},
        })
    }

    fn judged(document: &Value, probability: f64) -> Verdict {
        Policies(document).judge(&prediction(probability))
    }

    #[test]
    fn verdicts_are_as_computed_by_hand() {
        use Urgency::{High, Low, Medium};
        let rule = |rules: Value| json!({ "default": rules });
        assert_eq!(judged(&rule(json!({"threshold": 0.8})), 0.79), Verdict::Pass);
        assert_eq!(judged(&rule(json!({"threshold": 0.8})), 0.8), Verdict::Alert(Medium));
        assert_eq!(judged(&rule(json!({"threshold": "precision>=0.6"})), 0.5), Verdict::Alert(Low));
        assert_eq!(judged(&rule(json!({"threshold": "share<=0.04"})), 0.5), Verdict::Pass);
        assert_eq!(judged(&rule(json!({"threshold": 1, "always": ["tHis"]})), 0.2), Verdict::Alert(Medium));
        assert_eq!(judged(&rule(json!({"threshold": 1, "always": ["y tHis"]})), 0.2), Verdict::Pass);
        let inside = json!({"threshold": 1, "always": [{"includes": "y tHis"}]});
        assert_eq!(judged(&rule(inside), 0.2), Verdict::Alert(Medium));
        let mut emoji = prediction(0.9);
        emoji["comment"]["body"] = "\u{1F44D}".into();
        let all = rule(json!({"threshold": 0, "exploration_share": 1.0}));
        assert_eq!(Policies(&all).judge(&emoji), Verdict::Pass);
        let mut unlike = prediction(0.9);
        unlike["support"] = "shorter".into();
        assert_eq!(Policies(&all).judge(&unlike), Verdict::Pass);
        let judges = rule(json!({"threshold": 0, "outside_support": "judged"}));
        assert_eq!(Policies(&judges).judge(&unlike), Verdict::Alert(High));
        let exempt = json!({"threshold": 0, "exempt_authors": ["SOMEBODY"]});
        assert_eq!(judged(&rule(exempt), 0.9), Verdict::Pass);
        assert_eq!(judged(&rule(json!({"threshold": 1, "exploration_share": 1.0})), 0.9), Verdict::Explore(1.0, High));
        // From odds of 1 to 9 to even: a tenth becomes a half. Of 0.15 right alerts and 0.0222 / 0.9 / 2 wrong ones.
        let at_half = rule(json!({"threshold": 0.5, "base_rate": 0.5}));
        let seen = Policies(&at_half).at_base_rate(&prediction(0.1));
        assert!((seen.probability - 0.5).abs() < 1e-12, "{seen:?}");
        let wrong = 0.02 / 0.9 / 2.0;
        assert!((seen.share - (0.15 + wrong)).abs() < 1e-12 && (seen.precision - 0.15 / (0.15 + wrong)).abs() < 1e-12);
    }

    #[test]
    fn harm_is_as_computed_by_hand() {
        use Urgency::{High, Low, Medium};
        let mut labelled = prediction(0.95);
        let judged = |data: &Value, document: Value| Policies(&document).judge(data);
        let mut with = |labels: Value, document: Value| {
            labelled["labels"] = labels;
            judged(&labelled, document)
        };
        let label = |name: &str, probability: f64, false_alarms: f64| json!([{"label": name, "probability": probability, "false_alarms": false_alarms}]);
        let never = json!({"default": {"threshold": 1}});
        assert_eq!(with(label("threat", 0.51, 0.01), never.clone()), Verdict::Alert(High));
        assert_eq!(with(label("threat", 0.61, 0.02), never.clone()), Verdict::Pass);
        assert_eq!(with(label("insult", 0.99, 0.001), never.clone()), Verdict::Alert(Medium));
        assert_eq!(with(label("identity_attack", 0.99, 0.001), never), Verdict::Pass);
        assert_eq!(with(label("toxic", 0.002, 0.9), json!({"default": {"threshold": 0.9}})), Verdict::Alert(Low));
        let own = json!({"default": {"threshold": 1}, "harm": {"weights": {"insult": 1}, "alert": {"insult": "0.6"}}});
        assert_eq!(with(label("insult", 0.61, 0.5), own), Verdict::Alert(High));
        let hint = json!({"default": {"threshold": 1}, "harm": {"alert": {"x": "false_alarms<=0.5"}}});
        assert_eq!(with(label("x", 0.61, 0.5), hint), Verdict::Alert(Low));
        // What is unlike all that one of the models learned from is judged by the other alone.
        let mut unlike = prediction(0.95);
        unlike["support"] = "shorter".into();
        unlike["labels"] = label("threat", 0.61, 0.01);
        let removals = json!({"default": {"threshold": 0.9, "exploration_share": 1}});
        assert_eq!(judged(&unlike, removals.clone()), Verdict::Alert(High));
        unlike["labels"] = label("threat", 0.01, 0.3);
        assert_eq!(judged(&unlike, removals.clone()), Verdict::Pass);
        let judges = json!({"default": {"threshold": 0.9, "outside_support": "judged"}});
        assert_eq!(judged(&unlike, judges), Verdict::Alert(Low));
        unlike["labels"] = Value::Null;
        unlike["harm_support"] = "unknown_words".into();
        assert_eq!(judged(&unlike, removals.clone()), Verdict::Pass);
        unlike["support"] = Value::Null;
        assert_eq!(judged(&unlike, removals), Verdict::Alert(High));
        let mut in_need = prediction(0.1);
        in_need["comment"]["body"] = "I'll kill MYSELF.".into();
        assert_eq!(judged(&in_need, json!({"default": {"threshold": 1}})), Verdict::Alert(High));
        assert_eq!(judged(&in_need, json!({"default": {"threshold": 1}, "self_harm": {"phrases": []}})), Verdict::Pass);
    }

    #[test]
    fn a_subreddits_own_rules_go_before_the_default_ones() {
        let document = json!({
            "default": {"threshold": 0.5, "max_alerts_per_hour": 3, "quiet_hours":
                {"from": "23:00", "to": "07:00", "time_zone": "Europe/Berlin", "keep": ["high"]}},
            "subreddits": {"sCience": {"max_alerts_per_hour": "none", "channels": ["digest"]}},
        });
        let policies = Policies(&document);
        let science = Some("Science");
        assert_eq!((policies.budget(science), policies.budget(Some("news"))), (None, Some(3)));
        assert!(!policies.has_channel(science, "alerts") && policies.has_channel(None, "alerts"));
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        for (time, is_quiet) in [("21:59", false), ("22:00", true), ("05:59", true), ("06:00", false)] {
            assert_eq!(policies.is_quiet(science, at(&format!("2026-01-05T{time}:00Z"))), is_quiet, "{time}");
        }
        let midnight = at("2026-01-05T00:00:00Z");
        assert!(policies.waits(science, midnight, "low") && !policies.waits(science, midnight, "high"));
    }
}
