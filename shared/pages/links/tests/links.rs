//! What is accepted, and that nothing else is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use modstream_events::Action;
use modstream_links::{Claim, KeyError, Keys, LinkError, LinkSettings, Signer, WeakKey, decode_without_verifying};
use modstream_platform::Clock as _;
use modstream_platform::memory::{MemoryClock, MemorySecrets};
use proptest::prelude::*;
use uuid::Uuid;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const OTHER: &[u8] = b"fedcba9876543210fedcba9876543210";

fn signer() -> Signer {
    Signer::new(KEY, None).expect("a key")
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn now() -> Timestamp {
    time("2026-01-05T10:00:00Z")
}

fn soon() -> Timestamp {
    now() + SignedDuration::from_hours(1)
}

fn alert(action: Action) -> Claim {
    let id = "d704ed39-889c-5b22-b41b-2e4fb9283bff".parse().expect("a UUID");
    Claim::Alert { comment: Uuid::from_u128(7), id, action }
}

fn digest() -> Claim {
    Claim::Digest { start: time("2026-01-05T10:00:00Z"), minutes: 5, position: 1 }
}

fn named() -> [Claim; 3] {
    let moderator = || "Zoë".to_owned();
    [
        Claim::SignIn { id: Uuid::from_u128(7), moderator: moderator() },
        Claim::Session { moderator: moderator() },
        Claim::Form { moderator: moderator() },
    ]
}

fn all() -> Vec<Claim> {
    let mut all = vec![alert(Action::Remove), alert(Action::Keep), digest()];
    all.extend(named());
    all
}

/// Links in old mail must go on to work: these were minted once and never change.
#[test]
fn tokens_are_what_they_always_were() {
    let tokens: Vec<String> = all().iter().map(|claim| signer().sign(claim, soon())).collect();
    assert_eq!(tokens, EVER);
    let link = signer().link("https://example.org/", &digest(), soon()).expect("a link");
    assert_eq!(link, format!("https://example.org/d/{}", EVER[2]));
    for (token, claim) in EVER.iter().zip(all()) {
        assert_eq!(signer().verify(token, now()), Ok(claim));
    }
}

/// Python's `hmac` and `base64` give the first one.
const EVER: [&str; 6] = [
    "AQHBhtQAAAAAAAAAAAAAAAAAAAAH1wTtOYicWyK0Gy5PuSg7_wGBKA_-oItRGn2Dc_bOtuWP",
    "AQHBhtQAAAAAAAAAAAAAAAAAAAAH1wTtOYicWyK0Gy5PuSg7_wIX4iGhj4HFh2-DB-QMvwuS",
    "AgHBhtQBwYaYAAUAAZX7ojTH7Khx0yDq63zVej4",
    "AwHBhtQAAAAAAAAAAAAAAAAAAAAHWm_Dq17k5EIpsWOkjHArSv8IjDA",
    "BAHBhtRab8OraKcFjmTX9-INqsIU34MaPw",
    "BQHBhtRab8OroZUymh8PlcyiEr0Bk6aaOQ",
];

#[test]
fn a_token_holds_to_the_end_of_its_minute_and_no_longer() {
    let token = signer().sign(&digest(), time("2026-01-05T10:59:01Z"));
    assert_eq!(signer().verify(&token, time("2026-01-05T10:59:59.999Z")), Ok(digest()));
    assert_eq!(signer().verify(&token, time("2026-01-05T11:00:00Z")), Err(LinkError::Expired));
}

#[test]
fn the_key_before_is_accepted_and_one_before_that_is_not() {
    let old = signer().sign(&digest(), soon());
    let rotated = Signer::new(OTHER, Some(KEY)).expect("keys");
    assert_eq!(rotated.verify(&old, now()), Ok(digest()));
    assert_ne!(rotated.sign(&digest(), soon()), old);
    assert_eq!(Signer::new(OTHER, None).expect("a key").verify(&old, now()), Err(LinkError::Forged));
}

#[test]
fn what_a_token_says_can_be_read_without_a_key_and_proves_nothing() {
    let others = Signer::new(OTHER, None).expect("a key").sign(&digest(), soon());
    assert_eq!(
        (decode_without_verifying(&others), signer().verify(&others, now())),
        (Some(digest()), Err(LinkError::Forged))
    );
    assert_eq!((decode_without_verifying(""), decode_without_verifying("AQHB")), (None, None));
}

#[test]
fn a_key_that_could_be_guessed_is_refused() {
    for key in [&b""[..], b"secret", &KEY[1..]] {
        assert_eq!(Signer::new(key, None).map(drop), Err(WeakKey { bytes: key.len() }));
        assert!(Signer::new(KEY, Some(key)).is_err());
    }
}

#[test]
fn what_is_no_token_is_malformed() {
    let token = signer().sign(&digest(), soon());
    for text in ["", "a", "/", "%00", "ä", &token[..20], &format!("{token}="), &"A".repeat(100_000)] {
        assert_eq!(signer().verify(text, now()), Err(LinkError::Malformed), "{text:.30}");
    }
    // A link that lost its end.
    let token = signer().sign(&alert(Action::Keep), soon());
    assert_eq!(signer().verify(&token[..token.len() - 4], now()), Err(LinkError::Forged));
}

#[test]
fn a_token_of_one_kind_is_none_of_another() {
    let [sign_in, session, form] = named().map(|claim| signer().sign(&claim, soon()));
    let verified = [&sign_in, &session, &form].map(|token| signer().verify(token, now()));
    assert_eq!(verified, named().map(Ok));
    let folders: Vec<_> = all().iter().map(Claim::folder).collect();
    assert_eq!(folders, [Some("a"), Some("a"), Some("d"), Some("s"), None, None]);
}

proptest! {
    #[test]
    fn every_flipped_bit_is_refused(which in 0..6_usize, at in 0..10_000_usize, bit in 0..8) {
        let token = signer().sign(&all()[which], soon());
        let mut bytes = token.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1_u8 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(signer().verify(&text, now()).is_err(), "{text}");
        }
    }

    #[test]
    fn every_claim_comes_back(comment in any::<u128>(), start in 0..4_000_000_000_u32, id in any::<u128>(), name in "\\PC{1,40}", minutes in 1..10_000_i64) {
        let comment = Uuid::from_u128(comment);
        let id = Uuid::from_u128(id);
        let window = Timestamp::from_second(i64::from(start) * 60).expect("a time");
        let expires = now() + SignedDuration::from_mins(minutes);
        for claim in [
            Claim::Alert { comment, id, action: Action::Undo },
            Claim::Digest { start: window, minutes: 1_440, position: 65_535 },
            Claim::Session { moderator: name.clone() },
        ] {
            let token = signer().sign(&claim, expires);
            prop_assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
            prop_assert_eq!(signer().verify(&token, expires - SignedDuration::from_secs(1)), Ok(claim));
            prop_assert_eq!(signer().verify(&token, expires), Err(LinkError::Expired));
        }
    }

    #[test]
    fn no_other_text_is_accepted(text in "[A-Za-z0-9_-]{0,200}") {
        prop_assert!(signer().verify(&text, now()).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_rotation_is_noticed_within_a_minute_and_costs_no_link() {
    let (secrets, clock) = (MemorySecrets::new(), MemoryClock::starting_at(now()));
    let keys = Keys::new(secrets.clone(), clock, "links");
    let later = || clock.now() + Duration::from_secs(5);
    let missing = keys.signer(later()).await.expect_err("no secret");
    assert_eq!(missing, KeyError::Missing { id: "links".to_owned() });

    secrets.rotate("links", std::str::from_utf8(KEY).expect("text"));
    let old = keys.signer(later()).await.expect("a key").sign(&digest(), soon());
    secrets.rotate("links", std::str::from_utf8(OTHER).expect("text"));
    let new = Signer::new(OTHER, None).expect("a key").sign(&digest(), soon());
    assert_eq!(keys.signer(later()).await.expect("keys").verify(&new, now()), Err(LinkError::Forged));
    clock.sleep(Duration::from_secs(61)).await;
    let signer = keys.signer(later()).await.expect("keys");
    assert_eq!((signer.verify(&new, now()), signer.verify(&old, now())), (Ok(digest()), Ok(digest())));

    // What can't be used is no reason to stop.
    secrets.rotate("links", "short");
    clock.sleep(Duration::from_secs(61)).await;
    assert_eq!(keys.signer(later()).await.expect("keys").verify(&new, now()), Ok(digest()));
}

#[tokio::test(start_paused = true)]
async fn links_are_signed_by_the_new_key_a_minute_after_a_rotation() {
    let (secrets, clock) = (MemorySecrets::new(), MemoryClock::starting_at(now()));
    let text = |key: &[u8]| String::from_utf8(key.to_vec()).expect("text");
    secrets.rotate("links", &text(KEY));
    let settings = LinkSettings { base: "https://x".to_owned(), secret: "links".to_owned() };
    let later = || clock.now() + Duration::from_secs(5);
    let renewed = settings.renewed(secrets.clone(), clock, later()).await.expect("a key");
    let maker = renewed.maker();
    let verified_by = |key: &[u8]| {
        let link = maker.digest(now(), 5, 0, clock.now()).expect("a link");
        let token = link.strip_prefix("https://x/d/").expect("a digest's").to_owned();
        Signer::new(key, None).expect("a key").verify(&token, clock.now())
    };
    assert!(verified_by(KEY).is_ok());
    secrets.rotate("links", &text(OTHER));
    clock.sleep(Duration::from_secs(61)).await;
    assert!(verified_by(OTHER).is_err());
    renewed.renew(later()).await;
    assert!(verified_by(OTHER).is_ok());
}
