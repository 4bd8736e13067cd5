//! The sample that others begin with.

use modstream_policy::{Channel, Condition, Policies};

#[test]
fn the_sample_is_good_and_says_what_its_comments_say() {
    let policies = Policies::parse(include_str!("../../../../events/samples/policies.toml")).expect("good policies");
    let (science, ask) = (policies.for_subreddit(Some("science")), policies.for_subreddit(Some("AskScience")));
    assert_eq!((science.threshold, ask.threshold), (Condition::Precision(0.7), Condition::Precision(0.8)));
    assert_eq!((science.max_alerts_per_hour, policies.max_alerts_per_hour), (Some(20), Some(100)));
    assert_eq!(ask.channels, [Channel::Digest]);
    assert_eq!(
        science.quiet_hours.as_ref().map(modstream_policy::QuietHours::in_words).as_deref(),
        Some("22:00 to 07:00 (Europe/Berlin)")
    );
    assert_eq!(policies.subreddits().map(|(name, _)| name).collect::<Vec<_>>(), ["askscience", "science"]);
}
