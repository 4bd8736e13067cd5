//! What rules say of a prediction.

use modstream_events::{Meets, NotJudged, Outside, PROBE_BODY, PROBE_SOURCE, Prediction, Severity, ids};
use named_mutations::is_on;
use normal_form::name_key;

use crate::always_term::Searched;
use crate::{AtBaseRate, Harm, OutsideSupport, Rules};

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
    /// The prediction meets the threshold, labels meet theirs, or both.
    Thresholds(Meets<'static>),
    /// The comment holds this phrase of people who may harm themselves.
    SelfHarm(String),
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
    /// The comment is unlike all that the model of removals learned from, and meets no threshold of a label.
    Outside(Outside),
    /// The prediction does not meet the threshold, nor does a label.
    Threshold,
}

impl Why {
    /// Whether the comment alerts since the community would likely remove it, and for nothing else that the models say.
    #[must_use]
    pub fn removal() -> Self {
        Why::Thresholds(Meets { removal: true, labels: Vec::new() })
    }
}

impl Rules {
    /// What the rules say of the prediction's labels; none where no labels were judged, or they say nothing: there was nothing to
    /// judge, or nothing that the harm model knows of.
    pub fn harm<'p>(&self, prediction: &'p Prediction<'_>) -> Option<Harm<'p>> {
        let says_nothing = prediction.not_judged.is_some() || prediction.harm_support.is_some();
        prediction.labels.as_deref().filter(|_| !says_nothing).map(|labels| self.harm.judge(labels))
    }

    /// Which thresholds the prediction meets: that of removals, and those of labels. Where there was nothing to judge, none; where
    /// one of the models knows nothing of the comment, the other's alone.
    pub fn meets(&self, prediction: &Prediction<'_>) -> Meets<'static> {
        if prediction.not_judged.is_some() {
            return Meets::default();
        }
        let seen = self.at_base_rate(prediction);
        let is_met = || self.threshold.is_met_by(seen.probability, &seen.operating_point);
        let harm = self.harm(prediction);
        let labels = harm.iter().flat_map(Harm::alerting).map(|label| label.to_owned().into());
        Meets { removal: self.left_alone(prediction).is_none() && is_met(), labels: labels.collect() }
    }

    /// How urgent an alert about the prediction is: by its harm where labels were judged, by the probability of a removal where
    /// none were. Where there was nothing to judge, the numbers say nothing, and of what a model knows nothing, next to nothing.
    fn severity(&self, prediction: &Prediction<'_>) -> Severity {
        match (prediction.not_judged, self.harm(prediction), self.left_alone(prediction)) {
            (Some(_), _, _) => Severity::Low,
            (None, Some(found), _) => self.harm.severities.of(found.harm),
            (None, None, Some(_)) => Severity::Low,
            (None, None, None) => self.severities.of(self.at_base_rate(prediction).probability),
        }
    }

    /// The prediction at the rules' base rate.
    pub fn at_base_rate(&self, prediction: &Prediction<'_>) -> AtBaseRate {
        AtBaseRate::of(prediction, self.base_rate.filter(|_| !is_on("judge-at-own-base-rate")))
    }

    /// How a comment differs from all that the model of removals learned from, where the rules leave such comments alone.
    fn left_alone(&self, prediction: &Prediction<'_>) -> Option<Outside> {
        prediction.support.filter(|_| self.outside_support == OutsideSupport::Quiet)
    }

    /// Judges a prediction by the first that holds of probe, exempt author, phrase of self-harm, always-alert term, nothing to
    /// judge, thresholds, nothing that the model of removals knows of, and exploration. The judgement depends on rules and
    /// prediction alone.
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
        let searched = Searched::new(body);
        if let Some(phrase) = self.self_harm.phrases.find_in(&searched) {
            // Whoever is in need waits for nobody.
            return Judgement::Alert { why: Why::SelfHarm(phrase.as_str().to_owned()), severity: Severity::High };
        }
        let severity = self.severity(prediction);
        if let Some(term) =
            self.always.find_in(&searched).filter(|term| !is_on("match-case") || body.contains(term.as_str()))
        {
            let why = Why::Always(term.as_str().to_owned());
            return Judgement::Alert { why, severity: severity.max(Severity::Medium) };
        }
        if let Some(why) = prediction.not_judged {
            return Judgement::Pass(WhyNot::NotJudged(why));
        }
        let meets = self.meets(prediction);
        if meets.removal || !meets.labels.is_empty() {
            return Judgement::Alert { why: Why::Thresholds(meets), severity };
        }
        if let Some(outside) = self.left_alone(prediction) {
            return Judgement::Pass(WhyNot::Outside(outside));
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

    use crate::harm::tests::label;
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
            labels: None,
            harm_model: None,
            harm_support: None,
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
        let wanted = Judgement::Alert { why: Why::removal(), severity: Severity::Medium };
        assert_eq!(rules.judge(&prediction("so")), wanted);
    }

    #[test]
    fn a_base_rate_moves_threshold_and_severity() {
        let mut rules = Rules { threshold: Condition::Probability(0.8), ..rules() };
        rules.base_rate = Some(0.05);
        assert_eq!(rules.judge(&prediction("so")), NO_ALERT);
        rules.base_rate = Some(0.9);
        let wanted = Judgement::Alert { why: Why::removal(), severity: Severity::High };
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

    /// A prediction of `ok` that the community would surely remove, with these labels.
    fn labelled(labels: &[(&str, f64, f64)]) -> Prediction<'static> {
        let mut made = prediction("so");
        (made.probability, made.log_odds) = (0.95, 2.944_438_979_166_44);
        made.labels = Some(labels.iter().map(|(name, p, false_alarms)| label(name, *p, *false_alarms)).collect());
        made
    }

    #[test]
    fn severity_follows_harm_where_labels_were_judged_and_the_probability_where_none_were() {
        let rules = Rules { threshold: Condition::Probability(0.7), ..rules() };
        let severity = |prediction: &Prediction<'_>| match rules.judge(prediction) {
            Judgement::Alert { severity, .. } => Some(severity),
            _ => None,
        };
        let mut harmless = labelled(&[("threat", 0.001, 0.5), ("toxic", 0.002, 0.9)]);
        assert_eq!(severity(&harmless), Some(Severity::Low));
        harmless.labels = None;
        assert_eq!(severity(&harmless), Some(Severity::High));
        let mut threat = labelled(&[("toxic", 0.1, 0.06), ("threat", 0.62, 0.003)]);
        assert_eq!(severity(&threat), Some(Severity::High));
        // Nothing about it is a removal's.
        (threat.probability, threat.log_odds) = (0.01, -4.595);
        assert_eq!(severity(&threat), Some(Severity::High));
    }

    #[test]
    fn a_comment_alerts_by_its_removal_policy_or_its_harm_policy_and_it_is_known_which() {
        let rules = Rules { threshold: Condition::Probability(0.7), ..rules() };
        let meets = |prediction: &Prediction<'_>| match rules.judge(prediction) {
            Judgement::Alert { why: Why::Thresholds(Meets { removal, labels }), .. } => Some((removal, labels)),
            _ => None,
        };
        let threat = || vec!["threat".into()];
        let mut both = labelled(&[("toxic", 0.1, 0.06), ("threat", 0.62, 0.003)]);
        assert_eq!(meets(&both), Some((true, threat())));
        (both.probability, both.log_odds) = (0.01, -4.595);
        assert_eq!(meets(&both), Some((false, threat())));
        assert_eq!(meets(&labelled(&[("threat", 0.02, 0.011)])), Some((true, Vec::new())));
        let mut neither = labelled(&[("threat", 0.02, 0.011), ("identity_attack", 0.99, 0.0001)]);
        (neither.probability, neither.log_odds) = (0.01, -4.595);
        assert_eq!(rules.judge(&neither), NO_ALERT);
        // Where nothing was judged, labels that are there all the same say nothing.
        both.not_judged = Some(NotJudged::NoText);
        assert_eq!(rules.judge(&both), Judgement::Pass(WhyNot::NotJudged(NotJudged::NoText)));
        assert_eq!(rules.meets(&both), Meets::default());
        (both.probability, both.log_odds) = (0.95, 2.944);
        assert_eq!(rules.meets(&both), Meets::default());
    }

    #[test]
    fn a_comment_of_somebody_who_may_harm_themselves_is_urgent_whatever_models_say_and_one_about_others_is_not() {
        let rules = rules();
        let found = |body: &str| match rules.judge(&prediction(body)) {
            Judgement::Alert { why: Why::SelfHarm(phrase), severity } => Some((phrase, severity)),
            _ => None,
        };
        for (body, phrase) in [
            ("Some days I want to KILL myself.", "kill myself"),
            ("i don\u{2019}t want to live any more", "i don't want to live"),
            ("I w\u{200B}anna **die**", "i wanna die"),
        ] {
            assert_eq!(found(body), Some((phrase.to_owned(), Severity::High)), "{body}");
        }
        for body in ["kill yourself", "Patients who want to die", "skill myselfish", "suicidal ideation in mice"] {
            assert_eq!(found(body), None, "{body}");
        }
        let mut by_bot = prediction("kill myself");
        by_bot.comment.author = Some("bot".into());
        let rules = Rules { exempt_authors: vec!["bot".to_owned()], ..rules };
        assert_eq!(rules.judge(&by_bot), Judgement::Pass(WhyNot::ExemptAuthor));
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
            let by_score = Judgement::Alert { why: Why::removal(), severity: Severity::High };
            assert_eq!(of(&rules, "so", 1), by_score);
            let not_judged =
                Prediction { not_judged: Some(NotJudged::NoText), support: Some(outside), ..prediction("!") };
            assert_eq!(rules.judge(&not_judged), Judgement::Pass(WhyNot::NotJudged(NotJudged::NoText)));
        }
    }

    #[test]
    fn each_model_is_quiet_about_what_it_knows_nothing_of_and_the_other_is_not() {
        let rules = Rules { threshold: Condition::Probability(0.7), exploration_share: 1.0, ..rules() };
        let threat = || labelled(&[("toxic", 0.1, 0.06), ("threat", 0.62, 0.003)]);
        let harmless = || labelled(&[("threat", 0.001, 0.5)]);
        let outside = Some(Outside::Shorter);
        let alert = |removal: bool, labels: &[&'static str], severity: Severity| Judgement::Alert {
            why: Why::Thresholds(Meets { removal, labels: labels.iter().map(|label| (*label).into()).collect() }),
            severity,
        };
        // Labels speak by themselves: what is short for one community is none the less a threat.
        let short = Prediction { support: outside, ..threat() };
        assert_eq!(rules.judge(&short), alert(false, &["threat"], Severity::High));
        let quiet = Judgement::Pass(WhyNot::Outside(Outside::Shorter));
        assert_eq!(rules.judge(&Prediction { support: outside, ..harmless() }), quiet);
        let judges = Rules { outside_support: OutsideSupport::Judged, ..rules.clone() };
        assert_eq!(judges.judge(&short), alert(true, &["threat"], Severity::High));
        // Where the harm model knows nothing, labels that are there all the same say nothing, and the other model decides.
        let foreign = Prediction { harm_support: Some(Outside::UnknownWords), ..threat() };
        assert_eq!(rules.harm(&foreign), None);
        assert_eq!(rules.judge(&foreign), alert(true, &[], Severity::High));
        assert_eq!(judges.judge(&foreign), alert(true, &[], Severity::High));
        // Neither knows anything.
        assert_eq!(rules.judge(&Prediction { support: outside, ..foreign.clone() }), quiet);
        let always = Rules { always: vec![AlwaysTerm::word("so")].into(), ..rules.clone() };
        let why = || Why::Always("so".to_owned());
        let judged = |prediction: Prediction<'_>| always.judge(&prediction);
        let medium = Judgement::Alert { why: why(), severity: Severity::Medium };
        assert_eq!(judged(Prediction { support: outside, ..foreign }), medium);
        assert_eq!(judged(Prediction { support: outside, ..harmless() }), medium);
        assert_eq!(judged(short), Judgement::Alert { why: why(), severity: Severity::High });
        let in_need = Prediction { support: outside, labels: None, ..prediction("kill myself") };
        let wanted = Judgement::Alert { why: Why::SelfHarm("kill myself".to_owned()), severity: Severity::High };
        assert_eq!(rules.judge(&in_need), wanted);
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
