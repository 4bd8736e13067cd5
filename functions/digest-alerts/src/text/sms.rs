//! The text for phones: one message of the [GSM 7-bit default alphabet](https://www.etsi.org/deliver/etsi_ts/123000_123099/123038/17.00.00_60/ts_123038v170000p.pdf)
//! (3GPP TS 23.038, 6.2.1). A character outside it would make all of them count double.

use modstream_events::Alert;
use modstream_ledger::digests::Digest;

use plain_text::counted;

use super::plain;

/// What SNS puts before it: the topic's display name, as `infra/` sets it
/// ([AWS](https://docs.aws.amazon.com/sns/latest/dg/sms_sending-overview.html)).
const PREFIX: &str = "MODSTREAM> ";
/// How many characters the rest may have: one message has 160.
pub(super) const MAX_CHARS: usize = 160 - PREFIX.len();
/// How many characters of a subreddit's name are shown; Reddit's are at most 21 characters long.
const MAX_NAME_CHARS: usize = 21;

/// How many characters of what is said of an alert are shown.
const MAX_SAID_CHARS: usize = 50;

/// Whether a character is in the alphabet itself. Those of its extension count double, so they are left out.
pub(super) fn is_basic(c: char) -> bool {
    const LETTERS: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà";
    c.is_ascii_alphabetic() || LETTERS.contains(c)
}

/// The text: counts, what is said of the first alert, and one link. What does not fit is left out: details first, the link last.
pub(super) fn text(digest: &Digest, first: Option<&Alert<'_>>, page: Option<&str>) -> String {
    let name = digest.subreddit.as_deref().map(|name| plain::cut(&plain::one_line(name), MAX_NAME_CHARS));
    let name = name.filter(|name| !name.is_empty()).map(|name| format!("r/{name}"));
    let name = name.as_deref().unwrap_or("no subreddit");
    let all = counted(digest.count, "alert");
    let counts = match (digest.published(), digest.withheld()) {
        (_, 0) => all.clone(),
        (0, _) => format!("{all} held back"),
        (published, held_back) => format!("{}, {held_back} held back", counted(published, "alert")),
    };
    let late = digest.late.map_or_else(String::new, |late| format!(", {} late", late.count));
    let (start, end) = (digest.start.strftime("%H:%M"), digest.end.strftime("%H:%M"));
    let said = first.and_then(said);
    let detailed = said.map(|said| format!("{name} {start}-{end} UTC: {counts}{late}; first: {said}"));
    let texts = [
        format!("{name} {start}-{end} UTC: {counts}{late}"),
        format!("{name}: {counts}{late}"),
        format!("{name}: {counts}"),
        format!("{name}: {all}"),
        all,
    ];
    let texts = detailed.into_iter().chain(texts);
    let texts: Vec<String> =
        texts.map(|text| text.chars().map(|c| if is_basic(c) { c } else { '?' }).collect()).collect();
    let page = page.filter(|page| page.chars().all(is_basic));
    let linked = page.into_iter().flat_map(|page| texts.iter().map(move |text| format!("{text} {page}")));
    let fits = |text: &String| text.chars().count() <= MAX_CHARS;
    linked.chain(texts.iter().cloned()).find(fits).unwrap_or_default()
}

/// What is said of an alert in a few words: what alone may need somebody at once.
fn said(alert: &Alert<'_>) -> Option<String> {
    match &alert.self_harm {
        Some(_) => Some("somebody may harm themselves".to_owned()),
        None => alert.said().into_iter().next().map(|said| plain::cut(&plain::one_line(&said), MAX_SAID_CHARS)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use modstream_events::Event;
    use modstream_events::Severity;
    use modstream_ledger::digests::{Late, WithheldCount};
    use modstream_ledger::{AlertKey, Withholding};
    use proptest::prelude::*;

    use super::*;

    /// The table of 3GPP TS 23.038, 6.2.1, row by row; line feed, carriage return and escape are left out.
    const TABLE: [&str; 16] = [
        "@Δ 0¡P¿p",
        "£_!1AQaq",
        "$Φ\"2BRbr",
        "¥Γ#3CScs",
        "èΛ¤4DTdt",
        "éΩ%5EUeu",
        "ùΠ&6FVfv",
        "ìΨ'7GWgw",
        "òΣ(8HXhx",
        "ÇΘ)9IYiy",
        "Ξ*:JZjz",
        "Ø+;KÄkä",
        "øÆ,<LÖlö",
        "æ-=MÑmñ",
        "Åß.>NÜnü",
        "åÉ/?O§oà",
    ];

    fn digest(subreddit: Option<&str>, alerts: usize, withheld: usize, late: usize) -> Digest {
        let start: Timestamp = "2026-01-05T10:00:00Z".parse().expect("a time");
        let covered = AlertKey { comment: "c".to_owned(), id: "a".to_owned() };
        Digest {
            subreddit: subreddit.map(str::to_owned),
            start,
            end: start + jiff::SignedDuration::from_mins(5),
            severity: Severity::High,
            count: alerts,
            alerts: vec![covered; alerts],
            withheld: vec![WithheldCount { reason: Withholding::Budget, detail: String::new(), count: withheld }],
            late: (late > 0).then_some(Late { count: late, oldest: start }),
            from_quiet_hours: 0,
            exploration_count: 0,
            explorations: Vec::new(),
        }
    }

    #[test]
    fn the_alphabet_is_the_standards() {
        let mut all: Vec<char> = TABLE.iter().flat_map(|row| row.chars()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 128 - 3);
        let found: Vec<char> = ('\0'..=char::MAX).filter(|c| is_basic(*c)).collect();
        assert_eq!(found, all);
    }

    #[test]
    fn it_says_what_fits_and_the_link_goes_last() {
        let all = digest(Some("science"), 49, 37, 3);
        let link = |length: usize| format!("https://{}", "x".repeat(length - 8));
        for (page, expected) in [
            (None, "r/science 10:00-10:05 UTC: 12 alerts, 37 held back, 3 late".to_owned()),
            (Some(90), format!("r/science 10:00-10:05 UTC: 12 alerts, 37 held back, 3 late {}", link(90))),
            (Some(91), format!("r/science: 12 alerts, 37 held back, 3 late {}", link(91))),
            (Some(112), format!("r/science: 12 alerts, 37 held back {}", link(112))),
            (Some(128), format!("r/science: 49 alerts {}", link(128))),
            (Some(139), format!("49 alerts {}", link(139))),
            (Some(140), "r/science 10:00-10:05 UTC: 12 alerts, 37 held back, 3 late".to_owned()),
        ] {
            assert_eq!(text(&all, None, page.map(link).as_deref()), expected);
        }
        assert_eq!(text(&digest(None, 1, 0, 0), None, Some("https://x/~")), "no subreddit 10:00-10:05 UTC: 1 alert");
        assert_eq!(text(&digest(Some("a[\u{202E}]"), 1, 0, 0), None, None), "r/a?<U+202E>? 10:00-10:05 UTC: 1 alert");
    }

    #[test]
    fn what_is_said_of_the_first_alert_stands_where_there_is_room_for_it() {
        let alert = |what: &str| {
            let text = format!(
                r#"{{"specversion":"1.0","id":"a","source":"s","type":"modstream.alert.v1","time":"2026-01-05T10:00:00Z",
                "data":{{"comment":{{}},"body_truncated":false,
                "comment_event":{{"source":"u","id":"e","time":"2026-01-05T10:00:00Z"}},"prediction_id":"p",
                "probability":0.81,"log_odds":1.5,"severity":"high","policy":{{"name":"p","condition":"c"}},"terms":[],
                "model":{{"name":"m","version":"v"}},
                "operating_point":{{"precision":0.8,"recall":0.3,"share":0.1,"base_rate":0.32}}{what}}}}}"#
            );
            Event::<Alert<'_>>::decode(text.as_bytes()).expect("an alert").data.into_owned()
        };
        let removal = alert(r#","meets":{"removal":true,"labels":[]}"#);
        let in_need = alert(r#","self_harm":{"phrase":"end my life","contacts":[]}"#);
        let of = |first: &Alert<'_>, page: Option<&str>| text(&digest(Some("science"), 2, 0, 0), Some(first), page);
        let counts = "r/science 10:00-10:05 UTC: 2 alerts";
        assert_eq!(of(&removal, None), format!("{counts}; first: this community would likely remove it .81"));
        assert_eq!(
            of(&in_need, Some("https://x/d")),
            format!("{counts}; first: somebody may harm themselves https://x/d")
        );
        let long = format!("https://x/{}", "d".repeat(80));
        assert_eq!(of(&in_need, Some(&long)), format!("{counts} {long}"));
        assert_eq!(of(&alert(""), None), counts);
    }

    proptest! {
        #[test]
        fn it_always_fits_one_message(
            subreddit in prop::option::of("\\PC{0,300}|.{0,40}"),
            (alerts, withheld, late) in (1..200_usize, 0..300_usize, any::<usize>()),
            page in prop::option::of("https://[!-~]{0,300}"),
        ) {
            let text = text(&digest(subreddit.as_deref(), alerts, withheld, late), None, page.as_deref());
            prop_assert!(text.chars().count() <= MAX_CHARS && text.chars().all(is_basic), "{text:?}");
            let told = [alerts, alerts.saturating_sub(withheld)].map(|count| format!("{count} alert"));
            prop_assert!(told.iter().any(|told| text.contains(told)), "{:?}", text);
        }
    }
}
