//! The ledger's promises hold in every way that an alert's life can go.

use modstream_simulation::explore::explore;

#[test]
fn whatever_goes_wrong_an_alert_is_published_as_requested_and_never_after_it_is_known_to_be_sent() {
    let explored = explore(3);
    println!("{explored:?}");
    assert_eq!(explored.broken, None, "{} ways were tried", explored.ways);
    assert!(explored.ways > 10_000 && explored.most_published > 2, "{explored:?}");
}

#[cfg(feature = "mutations")]
#[test]
fn the_search_finds_what_would_break_them() {
    for name in ["send-before-ledger", "ignore-sent", "overwrite-ledger", "publish-own-text"] {
        let explored = named_mutations::with(Some(name), || explore(2));
        assert!(explored.broken.is_some(), "{name}: {explored:?}");
    }
}
