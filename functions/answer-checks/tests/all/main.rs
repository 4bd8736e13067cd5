//! The function over the memory world: a function URL's payload in, its answer out.

mod comments;
mod keys;
mod troubles;
mod world;

use modstream_stub_server::cases;
use serde_json::json;

use crate::world::World;

#[tokio::test(start_paused = true)]
async fn each_case_gets_what_it_gets_from_serve() {
    let world = World::with_models().await;
    let function = world.function(&[("CORAL_SECRET", "coral")]);
    world.secrets.rotate("coral", "coral-secret");
    let keys = [
        ("check", world.key("check").await),
        ("send", world.key("send").await),
        ("feedback", world.key("feedback").await),
    ];
    for case in cases(include_str!("../../../../shared/pages/gateway/tests/cases.json")) {
        let key = case.key.as_deref().map(|named| {
            keys.iter().find(|(role, _)| *role == named).map_or("ms_000000000000_x", |(_, key)| key.as_str())
        });
        for is_base64 in [false, true] {
            let payload =
                world::payload(&case.method, &case.path, &case.query(key), &case.headers, &case.body, is_base64);
            let answer = function.ask(&payload).await;
            case.check(answer.status, |name| answer.header(name), &answer.body);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_payload_of_something_else_is_no_request() {
    let world = World::new();
    let function = world.function(&[]);
    for other in [json!({ "Records": [] }), json!({}), json!("x")] {
        let error = function.try_ask(&other).await.expect_err("no request");
        assert!(error.contains("no request of a function URL"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_path_says_where_to_look_and_is_logged_by_no_name() {
    let world = World::new();
    let answer = world.function(&[]).get("/v1/secrets").await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("/openapi.json"), "{}", answer.body);
}

#[tokio::test(start_paused = true)]
async fn the_discovery_document_names_the_address_at_which_it_was_asked() {
    let world = World::new();
    let answer = world.function(&[]).get("/$discovery/rest").await;
    assert_eq!(answer.json()["rootUrl"], "https://abc.lambda-url.eu-central-1.on.aws/");
}

#[test]
fn settings_that_are_none_are_named_with_their_variable() {
    use answer_checks::Config;
    use modstream_platform::environment::Environment;

    let read = |more: &[(&'static str, &'static str)]| {
        let lookup = |name: &str| world::variable(name, more);
        Config::read(Environment::new(&lookup)).map_err(|error| error.to_string())
    };
    assert!(read(&[]).is_ok());
    let refused = read(&[("FRONT_DOOR", "[attributes]\nTOXICITY = \"removal\"")]).expect_err("another number");
    assert!(refused.contains("FRONT_DOOR") && refused.contains("attributes.TOXICITY"), "{refused}");
    let refused = read(&[("POLICY", "often")]).expect_err("no policy");
    assert!(refused.contains("POLICY holds `often`"), "{refused}");
    let missing = Config::read(Environment::new(&|_| None)).expect_err("nothing is set");
    assert!(missing.to_string().contains("the environment variable BUCKET is missing"), "{missing}");
}
