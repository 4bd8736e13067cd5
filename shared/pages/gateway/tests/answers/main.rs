//! The front door with the shipped models: what is asked in each caller's words, and what it gets.

mod hostile;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use modstream_classifier::artifact::ModelFiles;
use modstream_gateway::{
    Answered, FEEDBACK_PREFIX, Gateway, Judging, Models, Request, Route, Settings, Stored, read_feedback,
};
use modstream_in_use::models::InUse;
use modstream_in_use::policies;
use modstream_policy::Policies;
use serde_json::{Value, json};

const SECRET: &str = "coral-secret";

fn shipped(name: &str) -> Arc<InUse> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models").join(name);
    let (model, manifest) = ModelFiles::read(&folder).expect("files").load().expect("sound");
    Arc::new(InUse { model, name: manifest.name, version: manifest.version })
}

static MODELS: LazyLock<Models> = LazyLock::new(|| {
    let harm = shipped("harm");
    Models { removal: shipped("rscience"), labelled: vec![Arc::clone(&harm)], harm: Some(harm) }
});
static POLICIES: LazyLock<policies::InUse> = LazyLock::new(|| policies::InUse {
    policies: Policies::parse("[default]\nthreshold = 0.9\nexempt_authors = [\"bot\"]\nalways = [\"buy followers\"]")
        .expect("sound"),
    version: "a".repeat(64),
});

fn now() -> Timestamp {
    Timestamp::from_second(1_767_607_500).expect("a time")
}

fn gateway(settings: &str) -> Gateway {
    let settings = Settings::parse(settings).expect("sound");
    settings.check(&MODELS).expect("measured");
    Gateway::new(settings, vec!["old-secret".to_owned(), SECRET.to_owned()])
}

fn asked(gateway: &Gateway, route: Route, request: &Request) -> Answered {
    let judging = Judging { models: &MODELS, policies: &POLICIES };
    gateway.answer(route, request, &judging, now())
}

/// What a body gets, as JSON, with its status and headers.
struct Got {
    status: u16,
    body: Value,
    answered: Answered,
}

fn post_bytes(route: Route, body: &[u8]) -> Got {
    let request = Request { body: body.to_vec(), ..Request::default() };
    let answered = asked(&gateway(""), route, &request);
    let body = serde_json::from_slice(&answered.response.body).unwrap_or(Value::Null);
    Got { status: answered.response.status, body, answered }
}

fn post(route: Route, body: &Value) -> Got {
    post_bytes(route, body.to_string().as_bytes())
}

fn analyzed(text: &str, attribute: &str) -> f64 {
    let got = post(Route::Analyze, &json!({ "comment": { "text": text }, "requestedAttributes": { attribute: {} } }));
    assert_eq!(got.status, 200, "{}", got.body);
    got.body["attributeScores"][attribute]["summaryScore"]["value"].as_f64().expect("a number")
}

#[test]
fn an_insult_is_toxic_and_thanks_are_not_by_the_model_that_measures_it() {
    for insult in ["You are an idiot.", "You stupid moron.", "Shut up, you stupid fool"] {
        for attribute in ["TOXICITY", "INSULT"] {
            assert!(analyzed(insult, attribute) > 0.7, "{attribute}: {insult}");
        }
    }
    for kind in ["Thanks, that is a good point about the study.", "thank you", "Thanks!", "ok"] {
        assert!(analyzed(kind, "TOXICITY") < 0.3, "{kind}");
    }
    assert!(analyzed("I will kill you", "THREAT") > 0.7);
    // What moderators of r/science remove is another thing.
    assert!(analyzed("ok", "MODSTREAM_REMOVAL") > 0.5);
}

#[test]
fn an_answer_is_perspectives_and_names_the_models_that_gave_it() {
    let text = "What kind of idiot name is foo? Sorry, I like your name. \u{1F600} ok";
    let request = json!({
        "comment": { "text": text, "type": "PLAIN_TEXT" },
        "requestedAttributes": { "TOXICITY": {}, "MODSTREAM_REMOVAL": { "scoreType": "PROBABILITY" } },
        "languages": ["en-US"], "spanAnnotations": true, "clientToken": "t-1", "doNotStore": true,
        "sessionId": "s", "anything": { "else": [] },
    });
    let got = post(Route::Analyze, &request);
    assert_eq!((got.status, &got.body["clientToken"], &got.body["languages"]), (200, &json!("t-1"), &json!(["en-US"])));
    let spans = got.body["attributeScores"]["TOXICITY"]["spanScores"].as_array().expect("spans");
    let places: Vec<_> = spans.iter().map(|span| (span["begin"].as_u64(), span["end"].as_u64())).collect();
    assert_eq!(places, [(Some(0), Some(31)), (Some(32), Some(56)), (Some(57), Some(62))]);
    assert!(spans[0]["score"]["value"].as_f64() > spans[1]["score"]["value"].as_f64());
    assert_eq!(got.body["attributeScores"]["TOXICITY"]["summaryScore"]["type"], "PROBABILITY");
    let models = got.answered.response.header("x-modstream-model").expect("named");
    let named = format!("rscience@{}, harm@{}", MODELS.removal.version, MODELS.labelled[0].version);
    assert_eq!(models, named);
    assert_eq!(got.answered.kept, []);
}

#[test]
fn a_score_below_its_threshold_is_left_out_and_spans_are_given_to_those_who_ask() {
    let of = |how: Value| {
        let request =
            json!({ "comment": { "text": "Thanks for the study." }, "requestedAttributes": { "TOXICITY": how } });
        post(Route::Analyze, &request).body["attributeScores"].clone()
    };
    assert_eq!(of(json!({ "scoreThreshold": 0.999 })), json!({}));
    assert_eq!(of(json!({ "scoreThreshold": "0.999" })), json!({}));
    let scored = of(json!(null));
    assert!(scored["TOXICITY"]["summaryScore"]["value"].is_f64() && scored["TOXICITY"].get("spanScores").is_none());
}

#[test]
fn each_mistake_has_perspectives_kind_and_words() {
    let attributes = json!({ "TOXICITY": {} });
    let with = |changes: &Value| {
        let mut body = json!({ "comment": { "text": "a" }, "requestedAttributes": attributes });
        body.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        body
    };
    let long = "\u{E9}".repeat(10_241);
    let context = json!({ "entries": [{ "text": "b" }], "articleAndParentComment": { "article": { "text": "c" } } });
    let cyrillic =
        "\u{422}\u{44B} \u{438}\u{434}\u{438}\u{43E}\u{442}, \u{44D}\u{442}\u{43E} \u{433}\u{43B}\u{443}\u{43F}\u{43E}";
    for (changes, kind, message) in [
        (json!({ "comment": { "text": " \n\u{200B}" } }), "COMMENT_EMPTY", "Comment must be non-empty."),
        (json!({ "comment": {} }), "COMMENT_EMPTY", "Comment must be non-empty."),
        (
            json!({ "comment": { "text": long } }),
            "COMMENT_TOO_LONG",
            "Comment text was too many bytes. Value (20482) exceeded limit (20480).",
        ),
        (json!({ "requestedAttributes": {} }), "NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes"),
        (json!({ "requestedAttributes": null }), "NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes"),
        (
            json!({ "languages": ["en", "sv"] }),
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            "Attribute TOXICITY does not support request languages: sv",
        ),
        (
            json!({ "comment": { "text": cyrillic } }),
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            "Attribute TOXICITY does not support detected languages: ru",
        ),
        (json!({ "comment": { "text": "12" } }), "LANGUAGE_DETECTION_FAILED", "Unable to detect language"),
        (
            json!({ "requestedAttributes": { "IDENTITY_ATTACK": {} } }),
            "INVALID_REQUEST",
            "Unknown requested attribute: IDENTITY_ATTACK",
        ),
        (
            json!({ "requestedAttributes": { "TOXICITY": { "scoreType": "PERCENTILE" } } }),
            "INVALID_REQUEST",
            "Requested score type PERCENTILE is not supported by attribute TOXICITY",
        ),
        (
            json!({ "comment": { "text": "a", "type": "HTML" } }),
            "INVALID_REQUEST",
            "Currently, only 'PLAIN_TEXT' comments are supported",
        ),
        (
            json!({ "context": context }),
            "INVALID_REQUEST",
            "Context can have either entries or article_and_parent_comment, but both fields were populated.",
        ),
    ] {
        let got = post(Route::Analyze, &with(&changes));
        let error = &got.body["error"];
        assert_eq!((got.status, &error["code"], &error["status"]), (400, &json!(400), &json!("INVALID_ARGUMENT")));
        assert_eq!((&error["message"], &error["details"][0]["errorType"]), (&json!(message), &json!(kind)));
    }
    let got = post(Route::Analyze, &with(&json!({ "languages": ["sv"] })));
    let detail = &got.body["error"]["details"][0]["languageNotSupportedByAttributeError"];
    assert_eq!(*detail, json!({ "requestedLanguages": ["sv"], "attribute": "TOXICITY" }));
    let got = post(Route::Analyze, &with(&json!({ "comment": { "text": cyrillic } })));
    let detail = &got.body["error"]["details"][0]["languageNotSupportedByAttributeError"];
    assert_eq!(detail["detectedLanguages"], json!(["ru"]));
    let longest = "a".repeat(20_480);
    assert_eq!(post(Route::Analyze, &with(&json!({ "comment": { "text": longest } }))).status, 200);
}

#[test]
fn what_is_analysed_becomes_a_comment_once_unless_it_says_not() {
    let kept = |settings: &str, changes: &Value| {
        let mut body = json!({ "comment": { "text": "you idiot" }, "requestedAttributes": { "TOXICITY": {} } });
        body.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        let request = Request { body: body.to_string().into_bytes(), ..Request::default() };
        asked(&gateway(settings), Route::Analyze, &request).kept
    };
    let event = |kept: &[Stored]| -> Value {
        let [Stored::Comment(event)] = kept else { panic!("{kept:?}") };
        serde_json::from_slice(event).expect("JSON")
    };
    let said = json!({ "clientToken": "k1", "communityId": "science" });
    let once = event(&kept("", &said));
    assert_eq!((&once["type"], &once["data"]["id"]), (&json!("modstream.comment.v1"), &json!("k1")));
    assert_eq!((&once["data"]["subreddit"], &once["data"]["body"]), (&json!("science"), &json!("you idiot")));
    assert_eq!(once["id"], event(&kept("", &said))["id"]);
    assert_ne!(once["id"], event(&kept("", &json!({ "clientToken": "k1", "communityId": "other" })))["id"]);
    let hashed = event(&kept("", &json!({})));
    assert_eq!(hashed["data"]["id"].as_str().map(str::len), Some(64));
    assert_ne!(hashed["data"]["id"], event(&kept("", &json!({ "communityId": "other" })))["data"]["id"]);
    assert_eq!(kept("", &json!({ "doNotStore": true })), []);
    let never = "[requests]\nlanguages = [\"en\"]\nstore = \"never\"\nfeedback_per_minute = 60";
    assert_eq!(kept(never, &said), []);
    // What is refused is no comment.
    assert_eq!(kept("", &json!({ "languages": ["sv"] })), []);
}

#[test]
fn a_score_that_is_suggested_is_kept_apart_and_answered_with_its_token() {
    let body = json!({
        "comment": { "text": "x" }, "attributeScores": { "TOXICITY": { "summaryScore": { "value": 1 } } },
        "communityId": "Coral:https://c.example", "clientToken": "comment:42", "languages": ["en"],
        "context": { "entries": [{ "text": "{\"storyID\":\"s\"}" }] },
    });
    let got = post(Route::SuggestScore, &body);
    assert_eq!((got.status, &got.body), (200, &json!({ "clientToken": "comment:42" })));
    let [Stored::Feedback { key, content }] = &*got.answered.kept else { panic!("{:?}", got.answered.kept) };
    assert!(key.starts_with(FEEDBACK_PREFIX));
    let (time, feedback) = read_feedback(content).expect("reads").expect("not forgotten");
    assert_eq!((time, feedback.removed, feedback.id.as_deref()), (now(), true, Some("42")));

    let score = |score: Value| json!({ "comment": { "text": "x" }, "attributeScores": { "TOXICITY": score } });
    for (body, message) in [
        (json!({ "comment": { "text": " " }, "attributeScores": {} }), "Comment must be non-empty."),
        (json!({ "comment": { "text": "x" } }), "attribute_scores must not be empty"),
        (score(json!({})), "AttributeScores must not be empty"),
        (score(json!({ "spanScores": [] })), "AttributeScores must not be empty"),
        (score(json!({ "summaryScore": { "value": 1.5 } })), "score must be in [0, 1]"),
        (score(json!({ "summaryScore": { "value": -0.1 } })), "score must be in [0, 1]"),
        (
            json!({ "comment": { "text": "x" }, "attributeScores": { "SPAM": { "summaryScore": { "value": 1 } } } }),
            "Unknown requested attribute: SPAM",
        ),
    ] {
        let got = post(Route::SuggestScore, &body);
        assert_eq!((got.status, &got.body["error"]["message"]), (400, &json!(message)));
        assert_eq!(got.answered.kept, []);
    }
    let spans = score(json!({ "spanScores": [{ "begin": 0, "end": 1, "score": { "value": 1 } }] }));
    let got = post(Route::SuggestScore, &spans);
    assert_eq!((got.status, got.answered.kept.len()), (200, 0));
}

#[test]
fn the_discovery_document_leads_back_to_the_server_that_was_asked() {
    let of = |query: &str| {
        let request =
            Request { query: query.to_owned(), address: "https://mod.example.org".to_owned(), ..Request::default() };
        asked(&gateway(""), Route::Discovery, &request).response
    };
    let document: Value = serde_json::from_slice(&of("version=v1alpha1").body).expect("JSON");
    assert_eq!(document["rootUrl"], "https://mod.example.org/");
    let methods = document["resources"]["comments"]["methods"].as_object().expect("methods");
    for method in methods.values() {
        let path = format!("/{}", method["path"].as_str().expect("text"));
        assert!(matches!(Route::of(&path), Some(Route::Analyze | Route::SuggestScore)), "{path}");
        for schema in [&method["request"]["$ref"], &method["response"]["$ref"]] {
            assert!(document["schemas"][schema.as_str().expect("a name")].is_object(), "{schema}");
        }
    }
    assert_eq!((of("").status, of("version=v2").status), (200, 404));
}

fn signature(body: &[u8]) -> String {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length").chain_update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn signed(body: &Value, change: impl Fn(&str) -> String) -> Request {
    let body = serde_json::to_vec_pretty(body).expect("JSON");
    let headers = [("x-coral-signature".to_owned(), change(&signature(&body)))].into();
    Request { headers, body, ..Request::default() }
}

fn coral(text: &str, author: &str, role: &str) -> Value {
    json!({
        "action": "NEW", "comment": { "body": text, "parentID": null }, "author": { "id": author, "role": role },
        "story": { "id": "s", "url": "http://localhost:1313/" }, "site": { "id": "i" }, "tenantID": "t",
        "tenantDomain": "localhost",
    })
}

#[test]
fn coral_is_told_to_withhold_what_is_toxic_and_what_the_policies_find_and_nothing_else() {
    let ask = |body: &Value| asked(&gateway(""), Route::Coral, &signed(body, str::to_owned)).response;
    let told = |body: &Value| -> Value { serde_json::from_slice(&ask(body).body).unwrap_or(Value::Null) };
    let toxic = json!({
        "actions": [{ "actionType": "FLAG", "reason": "COMMENT_DETECTED_TOXIC" }], "status": "SYSTEM_WITHHELD",
    });
    assert_eq!(told(&coral("<div>you <b>stupid</b> idiot</div>", "a", "COMMENTER")), toxic);
    // The policies say nothing of toxicity.
    let found = told(&coral("Where can I buy followers for this?", "a", "COMMENTER"));
    assert_eq!(found, json!({ "status": "SYSTEM_WITHHELD" }));
    for (text, author, role) in [
        ("Thanks, the sample of this study is large enough to compare both groups of patients.", "a", "COMMENTER"),
        ("you stupid idiot", "a", "STAFF"),
        ("you stupid idiot", "a", "MODERATOR"),
        ("you stupid idiot", "a", "ADMIN"),
        ("Where can I buy followers for this?", "bot", "COMMENTER"),
        ("", "a", "COMMENTER"),
    ] {
        let response = ask(&coral(text, author, role));
        assert_eq!((response.status, response.body.len()), (204, 0), "{text}");
    }
    let ignore = "[coral]\ntoxic = { label = \"harm/toxic\", from = 0.8 }\npolicies = \"ignore\"";
    let request = signed(&coral("Where can I buy followers for this?", "a", "COMMENTER"), str::to_owned);
    assert_eq!(asked(&gateway(ignore), Route::Coral, &request).response.status, 204);
}

#[test]
fn who_does_not_sign_for_coral_is_told_nothing() {
    let body = coral("you stupid idiot", "a", "COMMENTER");
    let status = |request: &Request| asked(&gateway(""), Route::Coral, request).response.status;
    assert_eq!(status(&signed(&body, |right| format!("sha256=00,{right}"))), 200);
    for change in
        [|_: &str| String::new(), |right: &str| right.replace("sha256", "sha1"), |right: &str| right[..70].to_owned()]
    {
        assert_eq!(status(&signed(&body, change)), 401);
    }
    let mut rewritten = signed(&body, str::to_owned);
    rewritten.body = body.to_string().into_bytes();
    assert_eq!(status(&rewritten), 401);
    let without = Gateway::new(Settings::parse("").expect("sound"), Vec::new());
    assert_eq!(asked(&without, Route::Coral, &signed(&body, str::to_owned)).response.status, 503);
}

#[test]
fn corals_own_vector_is_signed_by_its_second_signature() {
    let vector = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/coral.json");
    let vector: Value = serde_json::from_str(&std::fs::read_to_string(vector).expect("there")).expect("JSON");
    let text = |name: &str| vector[name].as_str().expect("text").to_owned();
    let headers = [("x-coral-signature".to_owned(), text("X-Coral-Signature"))].into();
    let request = Request { headers, body: text("body").into_bytes(), ..Request::default() };
    let status = |secret: String| {
        let gateway = Gateway::new(Settings::parse("").expect("sound"), vec![secret]);
        asked(&gateway, Route::Coral, &request).response.status
    };
    assert!([200, 204].contains(&status(text("secret"))) && [200, 204].contains(&status("old".to_owned())));
    assert_eq!(status("another".to_owned()), 401);
}

#[test]
fn openais_answer_has_every_category_and_says_which_are_measured() {
    let got = post(Route::Moderations, &json!({ "input": "You are an idiot.", "model": "omni-moderation-latest" }));
    assert_eq!(got.status, 200, "{}", got.body);
    let result = &got.body["results"][0];
    let keys = |name: &str| result[name].as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys("categories").len(), 13);
    assert_eq!(
        (keys("categories"), keys("categories")),
        (keys("category_scores"), keys("category_applied_input_types"))
    );
    assert_eq!((&result["flagged"], &result["categories"]["harassment"]), (&json!(true), &json!(true)));
    assert!(result["category_scores"]["harassment"].as_f64() > Some(0.7));
    assert_eq!((&result["category_scores"]["sexual"], &result["categories"]["sexual"]), (&json!(0.0), &json!(false)));
    assert_eq!(result["category_applied_input_types"]["harassment"], json!(["text"]));
    assert_eq!(result["category_applied_input_types"]["sexual"], json!([]));
    let unmapped = got.answered.response.header("x-modstream-unmapped").expect("said");
    assert!(unmapped.contains("sexual") && unmapped.split(", ").count() == 11, "{unmapped}");
    assert!(got.body["model"].as_str().is_some_and(|model| model.starts_with("harm@")));
    let threat = post(Route::Moderations, &json!({ "input": ["thank you", "I will kill you"] }));
    let flagged: Vec<_> = threat.body["results"].as_array().expect("results").iter().map(|it| &it["flagged"]).collect();
    assert_eq!(flagged, [&json!(false), &json!(true)]);
    let parts = json!({ "input": [{ "type": "text", "text": "you are" }, { "type": "text", "text": "an idiot" }] });
    assert_eq!(post(Route::Moderations, &parts).body["results"].as_array().map(Vec::len), Some(1));
}

#[test]
fn openais_callers_are_told_what_is_not_looked_at() {
    let many: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    for (body, code) in [
        (json!({ "input": "" }), "invalid_input"),
        (json!({ "input": [] }), "invalid_input"),
        (json!({ "input": [1, 2] }), "invalid_input"),
        (json!({ "input": null }), "invalid_input"),
        (json!({ "input": many }), "invalid_input"),
        (json!({ "input": [{ "type": "image_url", "image_url": { "url": "https://x" } }] }), "image_not_supported"),
        (json!({ "input": [{ "type": "text" }] }), "invalid_input"),
        (json!({}), "invalid_json"),
    ] {
        let got = post(Route::Moderations, &body);
        assert_eq!((got.status, &got.body["error"]["code"]), (400, &json!(code)), "{body}");
        assert_eq!(got.body["error"]["type"], "invalid_request_error");
    }
    let german = "Das ist doch alles dummes Zeug, und wer das glaubt, der hat von der Sache wirklich gar keine Ahnung, ihr \
                  Vollidioten.";
    let got = post(Route::Moderations, &json!({ "input": german }));
    assert_eq!(got.answered.response.header("x-modstream-unknown-language"), Some("de"));
}

#[test]
fn a_label_that_a_promoted_model_has_no_more_is_unknown_and_not_another_ones() {
    let models = Models { removal: Arc::clone(&MODELS.removal), labelled: Vec::new(), harm: None };
    let judging = Judging { models: &models, policies: &POLICIES };
    let ask = |route, body: &Value| {
        let request = Request { body: body.to_string().into_bytes(), ..Request::default() };
        gateway("").answer(route, &request, &judging, now()).response
    };
    let toxic =
        json!({ "comment": { "text": "so" }, "requestedAttributes": { "MODSTREAM_REMOVAL": {}, "TOXICITY": {} } });
    let refused = ask(Route::Analyze, &toxic);
    assert!(refused.status == 400 && String::from_utf8_lossy(&refused.body).contains("attribute: TOXICITY"));
    let moderated = ask(Route::Moderations, &json!({ "input": "You are an idiot." }));
    let said: Value = serde_json::from_slice(&moderated.body).expect("JSON");
    assert_eq!((&said["results"][0]["flagged"], moderated.status), (&json!(false), 200));
    assert_eq!(moderated.header("x-modstream-unmapped").map(|names| names.split(", ").count()), Some(13));
}

#[test]
fn a_check_says_how_harmful_a_comment_is_and_which_policy_it_meets() {
    let of = |body: &str| post(Route::Check, &json!({ "body": body })).body;
    let threat = of("I will kill you");
    let (data, judged) = (&threat["prediction"]["data"], &threat["judgement"]);
    assert_eq!(data["harm_model"]["version"], MODELS.labelled[0].version);
    let named = |label: &&Value| label["label"] == "threat";
    let label = data["labels"].as_array().expect("labels").iter().find(named).expect("a threat");
    // A threat weighs 1.
    assert_eq!(judged["harm"], label["probability"]);
    assert_eq!((&judged["verdict"], &judged["matched"]), (&json!("alert"), &json!("label")));
    assert_eq!((&judged["severity"], &judged["meets"]["removal"]), (&json!("high"), &json!(false)));
    assert_eq!(judged["meets"]["labels"][0], "threat");
    assert!(judged["explanation"].as_str().is_some_and(|why| why.starts_with("it meets threat false_alarms<=0.01")));
    let kind = of("Thanks, that is a good point about the study.");
    assert!(kind["judgement"]["harm"].as_f64() < Some(0.1), "{kind}");
    assert_eq!(kind["judgement"]["meets"], json!({ "removal": false, "labels": [] }));
    assert!(
        kind["judgement"]["explanation"].as_str().is_some_and(|why| why.ends_with("nor does a label meet its own"))
    );
    let in_need = of("Some days I want to kill myself.");
    assert_eq!(
        (&in_need["judgement"]["matched"], &in_need["judgement"]["severity"]),
        (&json!("self_harm"), &json!("high"))
    );
    assert_eq!(in_need["judgement"]["self_harm"]["phrase"], "kill myself");
    let german = of("Das ist doch alles dummes Zeug, und wer das glaubt, hat von der Sache gar keine Ahnung.");
    assert_eq!(german["prediction"]["data"]["harm_support"], "unknown_words");
    assert!(german["judgement"].get("harm").is_none() && german["prediction"]["data"].get("labels").is_none());
    assert!(german["labels"].as_array().expect("labels").iter().all(|label| label["support"] == "unknown_words"));
    // Where comments are scored without a harm model, so is what is asked.
    let models = Models { harm: None, ..MODELS.clone() };
    let judging = Judging { models: &models, policies: &POLICIES };
    let request = Request { body: br#"{"body": "I will kill you"}"#.to_vec(), ..Request::default() };
    let plain = gateway("").answer(Route::Check, &request, &judging, now()).response;
    let plain: Value = serde_json::from_slice(&plain.body).expect("JSON");
    assert!(plain["prediction"]["data"].get("labels").is_none() && plain["judgement"].get("harm").is_none());
    assert_eq!(plain["labels"][0]["label"], "harm/toxic");
}

#[test]
fn a_check_says_what_the_comment_would_get_and_why() {
    let got = post(Route::Check, &json!({ "id": "k", "body": "You are an idiot.", "subreddit": "science" }));
    assert_eq!(got.status, 200, "{}", got.body);
    let prediction = &got.body["prediction"];
    assert_eq!(prediction["type"], "modstream.prediction.v1");
    assert_eq!(prediction["data"]["comment"]["body"], "You are an idiot.");
    let toxic = &got.body["labels"][0];
    assert_eq!((&toxic["label"], &toxic["counts"]), (&json!("harm/toxic"), &json!(true)));
    assert!(toxic["probability"].as_f64() > Some(0.7) && !toxic["terms"].as_array().expect("terms").is_empty());
    let attack = got.body["labels"].as_array().expect("labels").last().expect("one");
    assert_eq!((&attack["label"], &attack["counts"]), (&json!("harm/identity_attack"), &json!(false)));
    assert_eq!(got.body["judgement"]["policies_version"], "a".repeat(64));
    let of = |comment: Value| post(Route::Check, &comment).body["judgement"].clone();
    let always = of(json!({ "body": "buy followers here" }));
    assert_eq!((&always["verdict"], &always["matched"]), (&json!("alert"), &json!("always")));
    assert!(always["severity"].is_string());
    let exempt = of(json!({ "body": "buy followers here", "author": "bot" }));
    assert_eq!((&exempt["verdict"], &exempt["matched"]), (&json!("pass"), &json!("exempt_author")));
    assert_eq!(of(json!({ "body": "[removed]" }))["matched"], "not_judged");
    assert_eq!(of(json!({ "body": "ok" }))["matched"], "outside_support");
    assert_eq!(got.answered.kept, []);
    for body in [json!({}), json!({ "body": null }), json!({ "body": 7 }), json!([])] {
        let got = post(Route::Check, &body);
        assert_eq!(got.status, 400, "{}", got.body);
        assert!(got.body["error"].is_string() && got.body["detail"].is_string());
    }
}
