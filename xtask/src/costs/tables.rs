//! What the documents say of the bill.

use super::assumed::{Assumed, Rate};
use super::bill::{Alerts, Bill, grouped, many};

/// A block of a document.
pub(super) struct Block {
    pub(super) file: &'static str,
    pub(super) name: &'static str,
    pub(super) text: String,
}

/// The bills of a rate.
struct Bills {
    /// Where 5 comments in 100 alert.
    many_alerts: Bill,
    /// Where 1 in 1,000 does.
    few_alerts: Bill,
}

impl Bills {
    fn of(assumed: &Assumed, rate: &Rate) -> Self {
        Bills {
            many_alerts: Bill::of_month(assumed, rate, Alerts::FiveInAHundred),
            few_alerts: Bill::of_month(assumed, rate, Alerts::OneInAThousand),
        }
    }
}

/// All blocks.
pub(super) fn all(assumed: &Assumed) -> Vec<Block> {
    let rates = &assumed.rates;
    let [small, large, huge] = [&rates.small, &rates.large, &rates.huge].map(|rate| Bills::of(assumed, rate));
    let costs = |name, text| Block { file: "docs/costs.md", name, text };
    let scale = |name, text| Block { file: "docs/scale.md", name, text };
    vec![
        costs("sums", sums(&[("10 comments/s", &small), ("1,000 comments/s", &large)])),
        costs("month", month(&small.many_alerts, &large.many_alerts)),
        costs("says", says(&small, &large)),
        costs("prices", prices(assumed)),
        costs("assumed", assumptions(&[("10 comments/s", &rates.small), ("1,000 comments/s", &rates.large)])),
        scale("sums", sums(&[("10 a second", &small), ("1,000 a second", &large), ("50,000 a second", &huge)])),
        scale("month", alone(&huge, &rates.huge)),
        scale("beside", beside(&[&small, &large, &huge])),
        Block { file: "README.md", name: "month", text: readme(&small, &large) },
    ]
}

fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    format!("| {} |\n", cells.into_iter().collect::<Vec<_>>().join(" | "))
}

fn whole(usd: f64) -> String {
    format!("${}", grouped(usd, 0))
}

fn cents(usd: f64) -> String {
    format!("${}", grouped(usd, 2))
}

/// What a million comments cost, where cents say little of it.
fn small_change(usd: f64) -> String {
    let digits = if usd < 0.01 { 4 } else { 3 };
    format!("${usd:.digits$}")
}

fn sums(rates: &[(&str, &Bills)]) -> String {
    let line = |what: &str, of: &dyn Fn(&Bills) -> String| {
        let cells: Vec<String> = rates.iter().map(|(_, bills)| of(bills)).collect();
        row([what].into_iter().chain(cells.iter().map(String::as_str)))
    };
    let names: Vec<&str> = rates.iter().map(|(name, _)| *name).collect();
    let mut text = row([""].into_iter().chain(names));
    text += &format!("|---|{}\n", "--:|".repeat(rates.len()));
    text += &line("comments a month", &|bills| many(bills.many_alerts.millions * 1e6));
    text += &line("**a month**, 5 comments in 100 alert", &|bills| format!("**{}**", whole(bills.many_alerts.total())));
    text += &line("**a million comments**", &|bills| format!("**{}**", cents(bills.many_alerts.a_million())));
    text += &line("a month, 1 comment in 1,000 alerts", &|bills| whole(bills.few_alerts.total()));
    text += &line("a million comments", &|bills| cents(bills.few_alerts.a_million()));
    text
}

fn month(small: &Bill, large: &Bill) -> String {
    let mut text = row(["what", "price", "10 comments/s", "", "1,000 comments/s", ""]);
    text += "|---|---|---|--:|---|--:|\n";
    for (one, other) in small.lines.iter().zip(&large.lines) {
        let (one_usd, other_usd) = (cents(one.usd), cents(other.usd));
        text += &row([one.what, &one.price, &one.quantity, &one_usd, &other.quantity, &other_usd]);
    }
    let (one, other) = (format!("**{}**", cents(small.total())), format!("**{}**", cents(large.total())));
    text += &row(["**a month**", "", "", &one, "", &other]);
    text
}

fn says(small: &Bills, large: &Bills) -> String {
    let Bills { many_alerts, few_alerts } = large;
    let of_alerts = |bill: &Bill| bill.of("DynamoDB") + bill.of("SNS");
    let a_shard = small.many_alerts.of("shard hours") / 2.0;
    let share = |part: f64, whole: f64| format!("{:.0} %", 100.0 * part / whole);
    format!(
        "- **Small deployments pay for shards**: {shards} of what 10 comments a second cost. One shard of each stream is the \
         default, {a_shard} a month each; when to take more is in [deploy.md](deploy.md#how-many-shards).\n\
         - **Large ones pay for alerts**, by the table and the topic: {alerts} of {whole_bill} at 1,000 comments a second. 5 in 100 \
         are 4.3 million alerts a day there, more than anyone reads; with `policy = \"share<=0.001\"` these lines are {few} and \
         the month is {few_bill}.\n\
         - **The table grows** with the alerts, since the ledger keeps them: each month adds {growth_small} a month at 10 comments \
         a second, {growth_large} at 1,000, until somebody takes old ones out. The first month is in the sums.\n\
         - **A call of SNS is counted as one request.** AWS says that [batches of ten cut the cost by up to \
         ten](https://docs.aws.amazon.com/sns/latest/dg/sns-batch-api-actions.html), and does not say of a bill how: were each message \
         one, 1,000 comments a second would cost {by_message} more, {by_message_million} a million.",
        shards = share(small.many_alerts.of("shard hours"), small.many_alerts.total()),
        a_shard = cents(a_shard),
        alerts = whole(of_alerts(many_alerts)),
        whole_bill = whole(many_alerts.total()),
        few = whole(of_alerts(few_alerts)),
        few_bill = whole(few_alerts.total()),
        growth_small = cents(small.many_alerts.growth),
        growth_large = whole(many_alerts.growth),
        by_message = whole(many_alerts.by_message),
        by_message_million = cents((many_alerts.total() + many_alerts.by_message) / many_alerts.millions),
    )
}

fn prices(assumed: &Assumed) -> String {
    let mut text = row(["price", "of", "looked up", "in"]) + "|--:|---|---|---|\n";
    for price in assumed.prices.all() {
        text += &row([price.shown().as_str(), &price.unit, &price.read, &price.from]);
    }
    text
}

fn assumptions(rates: &[(&str, &Rate)]) -> String {
    let line = |what: &str, of: &dyn Fn(&Rate) -> String| {
        let cells: Vec<String> = rates.iter().map(|(_, rate)| of(rate)).collect();
        row([what].into_iter().chain(cells.iter().map(String::as_str)))
    };
    let mut text = row([""].into_iter().chain(rates.iter().map(|(name, _)| *name)));
    text += &format!("|---|{}\n", "--:|".repeat(rates.len()));
    text += &line("shards of each stream", &|rate| rate.shards.to_string());
    text +=
        &line("batches of `score-comments`, a shard and second", &|rate| rate.score.batches_a_shard_second.to_string());
    text += &line("a batch of `score-comments`", &|rate| format!("{} ms", rate.score.ms));
    text += &line("batches of `publish-alerts`, a shard and second", &|rate| {
        rate.publish.batches_a_shard_second.to_string()
    });
    text += &line("a batch of `publish-alerts`", &|rate| format!("{} ms", rate.publish.ms));
    text += &line("a batch of `archive-comments`", &|rate| format!("{} ms", rate.archive_ms));
    text += &line("a run of `digest-alerts`", &|rate| {
        rate.digest_seconds.map_or_else(|| "none".to_owned(), |seconds| format!("{seconds} s"))
    });
    text
}

fn alone(bills: &Bills, Rate { publish_few_alerts: few_alerts, .. }: &Rate) -> String {
    let bill = &bills.many_alerts;
    let mut text = row(["what", "price", "50,000 comments/s", ""]) + "|---|---|---|--:|\n";
    for line in &bill.lines {
        text += &row([line.what, &line.price, &line.quantity, &cents(line.usd)]);
    }
    text += &row(["**a month**", "", "", &format!("**{}**", whole(bill.total()))]);
    text += &format!(
        "\n- **{:.0} % of it is the table.** With 1 alert in 1,000 comments (`--alert-share 0.001`: {} batches a second of \
         {} ms) the month is {}.\n\
         - It is without digests, which no one could read.\n\
         - The table's growth adds {} to each later month.",
        100.0 * bill.of("DynamoDB") / bill.total(),
        few_alerts.batches_a_shard_second,
        few_alerts.ms,
        whole(bills.few_alerts.total()),
        whole(bill.growth),
    );
    text
}

fn beside(rates: &[&Bills]) -> String {
    let cells = |of: &dyn Fn(&Bill) -> String| rates.iter().map(|bills| of(&bills.many_alerts)).collect::<Vec<_>>();
    let all = cells(&|bill| cents(bill.a_million()));
    let scoring = cells(&|bill| small_change(bill.scoring_a_million()));
    let mut text = row(["modstream, a million comments", "10 a second", "1,000 a second", "50,000 a second"]);
    text += "|---|--:|--:|--:|\n";
    text += &row(["all-in"].into_iter().chain(all.iter().map(String::as_str)));
    text += &row(["of which scoring: `score-comments`, requests and time"]
        .into_iter()
        .chain(scoring.iter().map(String::as_str)));
    text
}

fn readme(small: &Bills, large: &Bills) -> String {
    format!(
        "A month on AWS is **{} at 10 comments a second and {} at 1,000**, calculated from list prices with 5 alerts in 100 \
         comments; with 1 in 1,000 it is {} and {} ([costs](docs/costs.md)).",
        whole(small.many_alerts.total()),
        whole(large.many_alerts.total()),
        whole(small.few_alerts.total()),
        whole(large.few_alerts.total()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_is_what_it_is_to_be_at_most() {
        let assumed = Assumed::read().expect("the file is there");
        let [small, large] = [&assumed.rates.small, &assumed.rates.large].map(|rate| Bills::of(&assumed, rate));
        for (bill, most) in [(small.many_alerts, 1.30), (large.many_alerts, 0.25), (large.few_alerts, 0.10)] {
            assert!(bill.a_million() <= most, "{} a million, not {most}: {:#?}", bill.a_million(), bill.lines);
        }
    }

    #[test]
    fn more_comments_cost_more_and_no_line_is_without_a_price() {
        let assumed = Assumed::read().expect("the file is there");
        let [small, large, huge] = [&assumed.rates.small, &assumed.rates.large, &assumed.rates.huge]
            .map(|rate| Bill::of_month(&assumed, rate, Alerts::FiveInAHundred));
        assert!(small.total() < large.total() && large.total() < huge.total());
        for line in small.lines.iter().chain(&large.lines) {
            assert!(line.usd > 0.0 && line.price.starts_with('$') && !line.quantity.is_empty(), "{line:?}");
        }
        // The lines of one stand beside those of the other.
        assert!(small.lines.iter().map(|line| line.what).eq(large.lines.iter().map(|line| line.what)));
    }

    #[test]
    fn dollars_are_shown_as_a_bill_shows_them() {
        assert_eq!((cents(16_425.0), whole(1_234_567.0)), ("$16,425.00".into(), "$1,234,567".into()));
        assert_eq!((whole(33.5), whole(655.0), whole(29_302.4)), ("$34".into(), "$655".into(), "$29,302".into()));
        assert_eq!(
            (cents(0.744), small_change(0.0731), small_change(0.0027)),
            ("$0.74".into(), "$0.073".into(), "$0.0027".into())
        );
    }
}
