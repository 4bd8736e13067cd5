//! Which predictions alert.

use modstream_events::OperatingPoint;

use crate::{Fixture, SUCCESS, encode, prediction};

#[tokio::test(start_paused = true)]
async fn a_policy_compares_probability_precision_or_share() {
    let point = |precision, share| OperatingPoint { precision, recall: 0.5, share, base_rate: 0.3 };
    let predictions = [(0.79, point(0.59, 0.11)), (0.8, point(0.6, 0.1)), (0.9, point(0.9, 0.05))];
    for (policy, wanted) in [
        ("0.8", [false, true, true]),
        ("probability>=0.9", [false, false, true]),
        ("precision>=0.6", [false, true, true]),
        ("precision>=0.91", [false, false, false]),
        ("share<=0.1", [false, true, true]),
        ("share<=1", [true, true, true]),
    ] {
        for (position, (probability, operating_point)) in predictions.into_iter().enumerate() {
            let fixture = Fixture::new(policy);
            let mut prediction = prediction();
            (prediction.probability, prediction.operating_point) = (probability, operating_point);
            assert_eq!(fixture.handle(&[encode(&prediction)]).await, SUCCESS);
            assert_eq!(fixture.inbox.try_receive().is_some(), wanted[position], "{policy}, {probability}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_prediction_that_does_not_alert_leaves_nothing_behind() {
    let fixture = Fixture::new("0.9");
    fixture.handle(&[encode(&prediction())]).await;
    assert_eq!(modstream_platform::Objects::list(&fixture.objects, "").await.expect("lists"), [""; 0]);
    assert_eq!(fixture.table.items(), []);
}
