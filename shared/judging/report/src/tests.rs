use std::collections::BTreeSet;

use html_oracle::Page;
use proportions::{Interval, Proportion};
use proptest::prelude::*;

use super::*;
use crate::sections::page;

/// Comments whose scores rise with their number; those where `removed` says so are removed; 0.7 and more alerts.
fn comments(count: u32, text: &str, removed: impl Fn(u32) -> bool) -> Vec<Comment<'_>> {
    let comment = |number: u32| {
        let probability = (f64::from(number) + 0.5) / f64::from(count);
        let log_odds = (probability / (1.0 - probability)).ln();
        Comment { text, removed: removed(number), log_odds, probability, alerts: probability >= 0.7 }
    };
    (0..count).map(comment).collect()
}

const QUALITY: Quality = Quality {
    roc_auc: 0.8,
    average_precision: 0.7,
    log_loss: 0.5,
    brier: 0.2,
    ece: 0.1,
    ece_floor: Some([0.025, 0.038]),
    accuracy: 0.75,
    f1: 0.6,
};

fn html(comments: &[Comment<'_>], subgroups: &[&str]) -> String {
    html_at(comments, subgroups, 0.3, Policy { condition: "probability>=0.7", threshold: Some(0.7) })
}

fn html_at(comments: &[Comment<'_>], subgroups: &[&str], base_rate: f64, policy: Policy<'_>) -> String {
    let mut terms = Terms::default();
    for comment in comments {
        terms.add([(comment.text, 0.5), ("<keep>", -0.25)]);
    }
    let subgroups: Vec<Subgroup> = subgroups.iter().map(|text| text.parse().expect("a subgroup")).collect();
    let explain = |text: &str| vec![Reason { term: text.to_owned(), contribution: 0.5 }];
    let version = "0123456789abcdef";
    let (terms, subgroups) = (&terms, &subgroups[..]);
    let html = page(&Report {
        model: "ours",
        version,
        base_rate,
        quality: QUALITY,
        policy,
        comments,
        terms,
        subgroups,
        bias: Some(&bias()),
        findings: &findings(),
        explain: &explain,
    });
    assert_sound(&html);
    html
}

fn bias() -> Bias {
    let of = |part: u64, of: u64| Proportion { part, of };
    let interval = |low: f64, high: f64| Interval { low, high };
    let group = |group: &str, beside_median: f64, neutral: u64| GroupBias {
        group: group.to_owned(),
        beside_median,
        interval: interval(beside_median - 0.5, beside_median + 0.5),
        neutral: of(neutral, 10),
        hostile: of(4, 4),
    };
    Bias {
        neutral: (of(3, 30), interval(0.02, 0.21)),
        hostile: (of(12, 12), interval(0.7, 1.0)),
        groups: vec![group("queer <people>", 1.46, 3), group("boys", 0.1, 0), group("women", -0.75, 0)],
        detectable: 0.4,
        outside: of(1, 42),
    }
}

fn findings() -> Vec<Finding> {
    let rows = vec![("line 7".to_owned(), "so <b>true</b>".to_owned()), ("line 9".to_owned(), String::new())];
    vec![Finding { title: "both verdicts".to_owned(), text: "rows have both.".to_owned(), rows }]
}

#[test]
fn groups_that_stand_out_are_shown_with_their_intervals() {
    let html = html(&comments(50, "so true", |number| number > 25), &[]);
    let bias = section(&html, "bias");
    for said in [
        "10.0\u{a0}%",
        "2.0\u{2013}21.0\u{a0}%",
        "queer &lt;people&gt;",
        "+1.46",
        "+0.96 to +1.96",
        "3 of 10",
        "\u{2212}0.75",
        "0.40 log-odds",
    ] {
        assert!(bias.contains(said), "{said}: {bias}");
    }
    assert!(!bias.contains("boys") && !bias.contains("unlike"), "{bias}");
}

#[test]
fn what_is_to_be_said_of_the_comments_stands_before_their_numbers() {
    let html = html(&comments(50, "so true", |number| number > 25), &[]);
    let checks = section(&html, "checks");
    for said in ["both verdicts", "Rows have both.", "line 7", "so &lt;b&gt;true&lt;/b&gt;", "no text"] {
        assert!(checks.contains(said), "{said}: {checks}");
    }
    assert!(html.find("id=\"checks\"") < html.find("id=\"overview\""));
}

/// A browser corrects nothing, ids are there once, links lead to them, and nothing is loaded.
fn assert_sound(html: &str) {
    let page = Page::parse(html);
    let ids: Vec<&str> = page.elements().iter().filter_map(|element| element.attribute("id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    for element in page.elements() {
        assert!(!["script", "img", "link", "iframe", "object", "base"].contains(&element.name.as_str()), "{element:?}");
        for (name, value) in &element.attributes {
            assert!(name != "src" && !name.starts_with("on"), "{element:?}");
            assert!(name != "href" || value.strip_prefix('#').is_some_and(|id| ids.contains(&id)), "{element:?}");
        }
    }
    for never in ["NaN", "inf\"", "-0.0\"", "url(", "@import"] {
        assert!(!html.contains(never), "{never}");
    }
    assert_eq!(html.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t'), None);
}

fn section<'a>(html: &'a str, id: &str) -> &'a str {
    let start = html.find(&format!("<section id=\"{id}\">")).unwrap_or_else(|| panic!("a section {id}"));
    let end = html[start..].find("</section>").expect("its end");
    &html[start..start + end]
}

#[test]
fn a_page_holds_every_part_and_loads_nothing() {
    let comments = comments(200, "so true", |number| number * 7 % 200 < number);
    let html = html(&comments, &["praise=true"]);
    for id in [
        "overview",
        "scores",
        "curves",
        "reliability",
        "length",
        "terms",
        "errors",
        "by-length",
        "subgroups",
        "bias",
        "checks",
    ] {
        assert!(section(&html, id).contains("<p class=\"how\">"), "{id}");
    }
    assert!(!html.contains("http://") && !html.contains("https://"));
    assert!(html.contains("ours") && html.contains("0123456789ab") && !html.contains("0123456789abc"));
    assert!(!html_at(&comments, &[], 0.3, Policy { condition: "0.7", threshold: None }).contains("id=\"subgroups\""));
}

#[test]
fn any_text_is_shown_as_text() {
    let nasty = "</p></details><script>alert('1')</script> \u{202E}&amp; \"x\"\u{0}\u{1b} <img src=x onerror=y>";
    let removed = comments(40, nasty, |number| number % 2 == 0);
    let html = html(&removed, &["<b>=<i>a</i>,x\"y"]);
    assert!(section(&html, "errors").contains(
        "<bdi dir=\"auto\">&lt;/p&gt;&lt;/details&gt;&lt;script&gt;alert('1')&lt;/script&gt; \u{FFFD}&amp;amp; \
         &quot;x&quot;\u{FFFD}\u{FFFD} &lt;img src=x onerror=y&gt;</bdi>"
    ));
    assert!(section(&html, "subgroups").contains("&lt;i&gt;a&lt;/i&gt;"));
    assert!(section(&html, "terms").contains("&lt;keep&gt;"));
}

/// As a page may show a text: what it can't hold, or what would turn the text behind it, is U+FFFD.
fn shown(text: &str) -> String {
    let harmful = |c: char| {
        (c < ' ' && c != '\n' && c != '\t')
            || ('\u{7F}'..='\u{9F}').contains(&c)
            || "\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}".contains(c)
            || ('\u{FDD0}'..='\u{FDEF}').contains(&c)
            || [0xFFFE, 0xFFFF].contains(&(u32::from(c) & 0xFFFF))
    };
    text.chars().filter(|c| *c != '\r').map(|c| if harmful(c) { '\u{FFFD}' } else { c }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_in_a_text_the_page_has_the_same_elements_and_shows_it_as_text(
        text in "\\PC{0,80}x|[<>&'\"/a-z =\\-!\\x00-\\x20\\x7f-\\x9f\u{202A}-\u{202E}\u{2066}-\u{2069}\u{FDD0}\u{FFFF}]{1,80}x",
        name in "[<>&'\"/a-z\u{202E}]{1,20}x",
    ) {
        let of = |text: &str, name: &str| {
            let comments = comments(20, text, |number| number % 2 == 0);
            let condition = format!("probability>=0.7 {name}");
            html_at(&comments, &[&format!("{name}=word")], 0.3, Policy { condition: &condition, threshold: Some(0.7) })
        };
        // As long, since charts and tables go by the length.
        let plain: String = text.chars().map(|_| 'x').collect();
        let (plain, hostile) = (Page::parse(&of(&plain, "x")), Page::parse(&of(&text, &name)));
        prop_assert_eq!(plain.outline(), hostile.outline());
        let comments = hostile.of_class("comment");
        prop_assert_eq!(comments.len(), 10);
        for comment in comments {
            prop_assert_eq!(&comment.text, &shown(&text));
        }
        prop_assert!(hostile.all("h3").iter().any(|title| title.text == shown(&name)));
    }
}

#[test]
fn a_long_text_is_cut() {
    let text = "\u{e4}".repeat(5_000);
    let html = html(&comments(10, &text, |number| number < 9), &[]);
    let shown = format!(">{}\u{2026}<", "\u{e4}".repeat(300));
    assert!(html.contains(&shown) && html.contains("5,000 characters"));
}

#[test]
fn one_class_says_so_in_place_of_curves() {
    for (removed, says) in [(true, "All comments were removed."), (false, "All comments were kept.")] {
        let html = html(&comments(50, "lol", |_| removed), &["x=lol"]);
        let curves = section(&html, "curves");
        assert!(curves.matches(says).count() == 2 && !curves.contains("<path"), "{curves}");
        let other = if removed { "No comment was kept." } else { "No comment was removed." };
        assert!(section(&html, "scores").contains(other));
    }
}

#[test]
fn few_comments_and_none_make_a_page() {
    assert!(html(&[], &["x=lol"]).contains("There are no comments."));
    for count in 1..12 {
        let html = html(&comments(count, "", |number| number % 2 == 0), &["x=lol"]);
        assert!(section(&html, "overview").contains("take all numbers for a guess"));
    }
}

#[test]
fn the_marked_point_is_the_policys() {
    // 100 comments, 30 alert: 20 of the 40 removed and 10 of the 60 kept.
    let comments = comments(100, "x", |number| (50..70).contains(&number) || (70..90).contains(&number));
    let html = html(&comments, &[]);
    let curves = section(&html, "curves");
    let plane = chart::Plane::new(300.0, 1, (0.0, 1.0), (0.0, 1.0));
    for (x, y) in [(10.0 / 60.0, 20.0 / 40.0), (20.0 / 40.0, 20.0 / 30.0)] {
        let mark = format!("<circle class=\"mark\" cx=\"{:.1}\" cy=\"{:.1}\"", plane.x(x), plane.y(y));
        assert!(curves.contains(&mark), "{mark}");
        // It lies on the curve.
        let on_curve = format!("L{:.1} {:.1}", plane.x(x), plane.y(y));
        assert!(curves.contains(&on_curve), "{on_curve}");
    }
    for row in
        ["66.7\u{a0}% <small>48.8\u{2013}80.8\u{a0}%</small></td><td>20 of 30", "20 of 40", "10 of 60", "30 of 100"]
    {
        assert!(curves.contains(row), "{row}");
    }
    let errors = section(&html, "errors");
    assert_eq!((errors.matches("<details>").count(), errors.contains("10 of 20 comments")), (20, true));
}

#[test]
fn the_surest_errors_come_first() {
    let comments = comments(100, "x", |number| number % 2 == 0);
    let html = html(&comments, &[]);
    let shown: Vec<&str> = html.split("<summary><b>").skip(1).map(|rest| &rest[..5]).collect();
    assert_eq!((shown[0], shown[9], shown[10], shown[19]), ("0.995", "0.815", "0.005", "0.185"));
}

#[test]
fn what_no_comment_meets_is_said() {
    let mut comments = comments(60, "x", |number| number > 30);
    comments.iter_mut().for_each(|comment| comment.alerts = false);
    let html = html_at(&comments, &[], 0.5, Policy { condition: "precision>=0.99", threshold: None });
    assert!(section(&html, "curves").contains("No comment meets"));
    assert!(!section(&html, "scores").contains("class=\"threshold\""));
}

#[test]
fn another_base_rate_is_told_with_what_precision_it_gives() {
    // 29 of 49 removed ones alert, and 1 of 51 kept ones.
    let comments = comments(100, "x", |number| number >= 50 && number != 99);
    let at = |base_rate| html_at(&comments, &[], base_rate, Policy { condition: "0.7", threshold: Some(0.7) });
    assert!(!at(0.5).contains("class=\"note\""));
    let rare = at(0.05);
    assert!(section(&rare, "overview").contains("too low for these comments"));
    let (recall, false_alarms) = (29.0 / 49.0, 1.0 / 51.0);
    let precision = 0.05 * recall / (0.05 * recall + 0.95 * false_alarms);
    let says = format!("make {} of alerts right", numbers::percent(precision));
    assert!(section(&rare, "curves").contains(&says), "{says}");
}

#[test]
fn a_subgroup_with_more_false_alarms_stands_out_and_few_say_nothing() {
    let mut comments = comments(1_000, "a plain text", |_| false);
    for comment in &mut comments {
        comment.alerts = false;
    }
    for (place, comment) in comments.iter_mut().enumerate() {
        (comment.text, comment.alerts) = match place {
            0..60 => ("The Woman said", place < 20),
            60..120 => ("a man said", false),
            120..149 => ("their parent", true),
            _ => continue,
        };
    }
    let html = html(&comments, &["gender=woman,man", "age=parent,zebra"]);
    let subgroups = section(&html, "subgroups");
    let row = |word: &str| {
        let start = subgroups.find(&format!(">{word}</bdi></th>")).expect("a row");
        &subgroups[start..start + subgroups[start..].find("</tr>").expect("its end")]
    };
    assert!(row("woman").contains("more than overall") && row("woman").contains("<td>60</td>"), "{}", row("woman"));
    assert!(row("woman").contains("33.3\u{a0}% <small>22.7\u{2013}45.9\u{a0}%</small>"), "{}", row("woman"));
    assert!(row("man").contains("no clear difference") || row("man").contains("fewer than overall"));
    assert!(row("parent").contains("too few to conclude: 29 kept"), "{}", row("parent"));
    assert!(row("zebra").contains("too few to conclude: 0 kept"), "{}", row("zebra"));
}

#[test]
fn a_page_of_many_comments_stays_small() {
    let comments = comments(100_000, "some text", |number| number.wrapping_mul(2_654_435_761) % 100_000 < number);
    let html = html(&comments, &["x=text"]);
    assert!(html.len() < 100_000, "{}", html.len());
    let curve = html.split("class=\"curve\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a curve");
    let points = curve.matches(['M', 'L']).count();
    assert!((100..=200).contains(&points), "{points}");
}
