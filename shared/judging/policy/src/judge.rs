//! What rules say of a prediction.

use modstream_events::{NotJudged, Outside, PROBE_BODY, PROBE_SOURCE, Prediction, Severity, ids};
use named_mutations::is_on;
use normal_form::name_key;

use crate::{AtBaseRate, OutsideSupport, Rules};

/// What rules say of a prediction.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// The comment does not alert.
    Pass(WhyNot),
    /// The comment alerts.
    Alert {
        /// Why it alerts.
        why: Why,
        /// How urgent the alert is.
        severity: Severity,
    },
    /// The comment meets no policy, and moderators are asked about it all the same.
    Explore {
        /// The share of such comments, which is this one's probability of being asked about.
        share: f64,
        /// How urgent the alert is.
        severity: Severity,
    },
}

/// Why a prediction alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The prediction meets the threshold.
    Threshold,
    /// The comment holds this text.
    Always(String),
    /// The comment is the probe.
    Probe,
}

/// Why a prediction does not alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// The comment's author is exempt.
    ExemptAuthor,
    /// The comment has nothing that a model could judge.
    NotJudged(NotJudged),
    /// The comment is unlike all that the model learned from.
    Outside(Outside),
    /// The prediction does not meet the threshold.
    Threshold,
}

impl Rules {
    /// The prediction at the rules' base rate.
    pub fn at_base_rate(&self, prediction: &Prediction<'_>) -> AtBaseRate {
        AtBaseRate::of(prediction, self.base_rate.filter(|_| !is_on("judge-at-own-base-rate")))
    }

    /// How a comment differs from all that the model learned from, where the rules leave such comments alone.
    fn left_alone(&self, prediction: &Prediction<'_>) -> Option<Outside> {
        prediction.support.filter(|_| self.outside_support == OutsideSupport::Quiet)
    }

    /// Judges a prediction by the first that holds of probe, exempt author, always-alert term, nothing to judge, nothing the model
    /// knows of, threshold and exploration. The judgement depends on rules and prediction alone.
    pub fn judge(&self, prediction: &Prediction<'_>) -> Judgement {
        let comment = &prediction.comment;
        let body = comment.body.as_deref().unwrap_or_default();
        if prediction.comment_event.source == PROBE_SOURCE && body.trim() == PROBE_BODY {
            // The probe must also reach moderators who want nothing but the most urgent alerts.
            return Judgement::Alert { why: Why::Probe, severity: Severity::High };
        }
        if comment.author.as_deref().is_some_and(|author| self.is_exempt(author)) {
            return Judgement::Pass(WhyNot::ExemptAuthor);
        }
        let seen = self.at_base_rate(prediction);
        let outside = self.left_alone(prediction);
        let severity = match (prediction.not_judged, outside) {
            (None, None) => self.severities.of(seen.probability),
            // Where nothing was judged, the probability says nothing, and of what a model knows nothing, next to nothing.
            _ => Severity::Low,
        };
        if let Some(term) = self.always.find(body).filter(|term| !is_on("match-case") || body.contains(term.as_str())) {
            let why = Why::Always(term.as_str().to_owned());
            return Judgement::Alert { why, severity: severity.max(Severity::Medium) };
        }
        if let Some(why) = prediction.not_judged {
            return Judgement::Pass(WhyNot::NotJudged(why));
        }
        if let Some(outside) = outside {
            return Judgement::Pass(WhyNot::Outside(outside));
        }
        if self.threshold.is_met_by(seen.probability, &seen.operating_point) {
            return Judgement::Alert { why: Why::Threshold, severity };
        }
        let share = self.exploration_share;
        if share > 0.0 && position(prediction) < share {
            return Judgement::Explore { share, severity };
        }
        Judgement::Pass(WhyNot::Threshold)
    }

    fn is_exempt(&self, author: &str) -> bool {
        if self.exempt_authors.is_empty() {
            return false;
        }
        let author = name_key(author);
        self.exempt_authors.iter().any(|exempt| name_key(exempt) == author)
    }
}

/// A number from 0 to 1 that follows from the comment event: evenly spread over events, the same at every repeat and
/// for every policy.
fn position(prediction: &Prediction<'_>) -> f64 {
    let event = &prediction.comment_event;
    let id = ids::exploration(&event.source, &event.id, "");
    // The first 48 bits are a hash's, whatever the version of the UUID.
    let bits = id.as_bytes()[..6].iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    bits as f64 / (1_u64 << 48) as f64
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use modstream_events::{Comment, EventRef, ModelRef, OperatingPoint};

    use crate::{AlwaysTerm, Condition};

    pub(crate) fn prediction(body: &str) -> Prediction<'static> {
        Prediction {
            comment: Comment { body: Some(body.to_owned().into()), ..Comment::default() },
            comment_event: EventRef {
                source: "urn:example:forum".into(),
                id: "e-1".into(),
                time: jiff::Timestamp::UNIX_EPOCH,
            },
            version: None,
            probability: 0.8,
            log_odds: 1.386_294_361_119_890_6,
            intercept: 0.0,
            terms: Vec::new(),
            other: 0.0,
            model: ModelRef { name: "m".into(), version: "f".repeat(64).into() },
            operating_point: OperatingPoint { precision: 0.7, recall: 0.2, share: 0.06, base_rate: 0.3 },
            not_judged: None,
            support: None,
        }
    }

    const NO_ALERT: Judgement = Judgement::Pass(WhyNot::Threshold);

    fn rules() -> Rules {
        Rules::new(Condition::Probability(0.9))
    }

    #[test]
    fn a_threshold_is_met_or_not() {
        let mut rules = rules();
        assert_eq!(rules.judge(&prediction("so")), NO_ALERT);
        rules.threshold = Condition::Probability(0.8);
        let wanted = Judgement::Alert { why: Why::Threshold, severity: Severity::Medium };
        assert_eq!(rules.judge(&prediction("so")), wanted);
    }

    #[test]
    fn a_base_rate_moves_threshold_and_severity() {
        let mut rules = Rules { threshold: Condition::Probability(0.8), ..rules() };
        rules.base_rate = Some(0.05);
        assert_eq!(rules.judge(&prediction("so")), NO_ALERT);
        rules.base_rate = Some(0.9);
        let wanted = Judgement::Alert { why: Why::Threshold, severity: Severity::High };
        assert_eq!(rules.judge(&prediction("so")), wanted);
    }

    #[test]
    fn an_always_term_is_found_anywhere_whatever_its_case_and_is_medium_at_least() {
        let rules =
            Rules { always: vec![AlwaysTerm::word("buy FOLLOWERS"), AlwaysTerm::anywhere("ÜBER")].into(), ..rules() };
        let mut unlikely = prediction("You can Buy  Followers here");
        (unlikely.probability, unlikely.log_odds) = (0.1, -2.197_224_577_336_219_6);
        let alert = |term: &str| Judgement::Alert { why: Why::Always(term.to_owned()), severity: Severity::Medium };
        assert_eq!(rules.judge(&unlikely), alert("buy FOLLOWERS"));
        assert_eq!(rules.judge(&prediction("überall")), alert("ÜBER"));
        assert_eq!(rules.judge(&prediction("buy  followings")), NO_ALERT);
    }

    #[test]
    fn an_exempt_author_never_alerts_but_the_probe_always_does() {
        const EXEMPT: Judgement = Judgement::Pass(WhyNot::ExemptAuthor);
        let everything = Rules {
            threshold: Condition::Probability(0.0),
            exempt_authors: vec!["AutoModerator".to_owned()],
            always: vec![AlwaysTerm::word("so")].into(),
            exploration_share: 0.1,
            ..rules()
        };
        let mut by_bot = prediction("so");
        by_bot.comment.author = Some("automoderator".into());
        assert_eq!(everything.judge(&by_bot), EXEMPT);
        for body in [PROBE_BODY.to_owned(), format!("\n {PROBE_BODY}\t\n")] {
            by_bot.comment.body = Some(body.into());
            // Anybody may write the text.
            by_bot.comment_event.source = "urn:example:forum".into();
            assert_eq!(everything.judge(&by_bot), EXEMPT);
            by_bot.comment_event.source = PROBE_SOURCE.into();
            let wanted = Judgement::Alert { why: Why::Probe, severity: Severity::High };
            assert_eq!(everything.judge(&by_bot), wanted);
        }
        by_bot.comment.body = Some(format!("{PROBE_BODY}!").into());
        assert_eq!(everything.judge(&by_bot), EXEMPT);
    }

    #[test]
    fn an_exempt_authors_name_is_theirs_in_any_case_and_encoding_and_nobody_elses() {
        let rules = Rules {
            threshold: Condition::Probability(0.0),
            exempt_authors: vec!["\u{FC}nal".to_owned(), "Moderator".to_owned()],
            ..rules()
        };
        let is_exempt = |name: &str| {
            let mut by = prediction("so");
            by.comment.author = Some(name.to_owned().into());
            rules.judge(&by) == Judgement::Pass(WhyNot::ExemptAuthor)
        };
        assert!(is_exempt("\u{DC}nal") && is_exempt("\u{DC}NAL") && is_exempt("u\u{308}nal") && is_exempt("MODERATOR"));
        assert!(!is_exempt("unal") && !is_exempt("M\u{43E}derator") && !is_exempt("Mode\u{200B}rator"));
    }

    #[test]
    fn where_there_is_nothing_to_judge_only_terms_and_the_probe_alert() {
        let rules = Rules {
            threshold: Condition::Probability(0.0),
            always: vec![AlwaysTerm::word("\u{1F52B}")].into(),
            exploration_share: 0.1,
            ..rules()
        };
        let of = |body: &str, number: usize| {
            let mut empty = prediction(body);
            empty.comment_event.id = number.to_string().into();
            empty.not_judged = Some(NotJudged::NoText);
            (empty.probability, empty.log_odds) = (0.99, 4.595);
            rules.judge(&empty)
        };
        let passes = Judgement::Pass(WhyNot::NotJudged(NotJudged::NoText));
        assert!((0..1_000).all(|number| of("\u{1F44D}", number) == passes));
        // The probability says nothing, so neither does the severity that follows from it.
        let wanted = Judgement::Alert { why: Why::Always("\u{1F52B}".to_owned()), severity: Severity::Medium };
        assert_eq!(of("\u{1F52B}\u{1F52B}", 1), wanted);
    }

    #[test]
    fn what_a_model_knows_nothing_of_is_quiet_unless_the_rules_say_otherwise() {
        for outside in [Outside::Shorter, Outside::Longer, Outside::UnknownWords] {
            let mut rules = Rules {
                threshold: Condition::Probability(0.0),
                always: vec![AlwaysTerm::word("ok")].into(),
                exploration_share: 0.1,
                ..rules()
            };
            let of = |rules: &Rules, body: &str, number: usize| {
                let mut unlike = prediction(body);
                unlike.comment_event.id = number.to_string().into();
                unlike.support = Some(outside);
                (unlike.probability, unlike.log_odds) = (0.99, 4.595);
                rules.judge(&unlike)
            };
            // Neither by the threshold nor to learn from, however the draw falls.
            assert!((0..1_000).all(|number| of(&rules, "so", number) == Judgement::Pass(WhyNot::Outside(outside))));
            let by_term = Judgement::Alert { why: Why::Always("ok".to_owned()), severity: Severity::Medium };
            assert_eq!(of(&rules, "ok", 1), by_term);
            rules.outside_support = OutsideSupport::Judged;
            let by_score = Judgement::Alert { why: Why::Threshold, severity: Severity::High };
            assert_eq!(of(&rules, "so", 1), by_score);
            let not_judged =
                Prediction { not_judged: Some(NotJudged::NoText), support: Some(outside), ..prediction("!") };
            assert_eq!(rules.judge(&not_judged), Judgement::Pass(WhyNot::NotJudged(NotJudged::NoText)));
        }
    }

    #[test]
    fn exploration_takes_its_share_and_always_the_same_comments() {
        let rules = Rules { exploration_share: 0.05, ..rules() };
        let of = |number: usize| {
            let mut prediction = prediction("so");
            prediction.comment_event.id = number.to_string().into();
            rules.judge(&prediction)
        };
        let explored: Vec<Judgement> = (0..20_000).map(of).filter(|it| *it != NO_ALERT).collect();
        // 1,000 expected, with a standard deviation of 31.
        assert!((850..1_150).contains(&explored.len()), "{}", explored.len());
        assert_eq!(explored[0], Judgement::Explore { share: 0.05, severity: Severity::Medium });
        let again: Vec<bool> = (0..1_000).map(|number| of(number) == of(number)).collect();
        assert!(again.into_iter().all(|same| same));
    }
}
