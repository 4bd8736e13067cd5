//! Whether an alert is published by itself, and why not.

use modstream_events::{Alert, Event};
use modstream_ledger::limits::{Budget, Budgets, Known, Request, Scope, Slot};
use modstream_ledger::{AlertKey, Hour, Withholding};
use modstream_platform::Clock;
use modstream_platform::deliver::DeliveryError;
use modstream_platform::table::Table;
use modstream_policy::{Channel, Policies};
use named_mutations::is_on;
use plain_text::counted;

/// The reason why an alert is withheld, and the same as a sentence.
pub(crate) type Withheld = (Withholding, String);

/// A later version of the comment came before this one.
pub(crate) fn outdated() -> Withheld {
    (Withholding::Superseded, "a later version of the comment was there before it".to_owned())
}

/// What follows from the alert, the policies and the breaker alone. The probe is never withheld.
pub(crate) fn by_rules(event: &Event<'_, Alert<'_>>, policies: &Policies, open: Option<&Known>) -> Option<Withheld> {
    let alert = &event.data;
    if alert.probe {
        return None;
    }
    if let Some(share) = alert.exploration {
        let percent = share * 100.0;
        let detail =
            format!("it meets no policy; {percent} % of such comments are asked about, to learn what is missed");
        return Some((Withholding::Exploration, detail));
    }
    let rules = policies.for_subreddit(alert.comment.subreddit.as_deref());
    if !rules.channels.contains(&Channel::Alerts) && !is_on("publish-without-channel") {
        return Some((Withholding::Channel, "the policy sends no alert of this subreddit by itself".to_owned()));
    }
    if let Some(quiet) = rules.quiet_hours.as_ref().filter(|quiet| quiet.withhold(event.time, alert.severity)) {
        return Some((Withholding::QuietHours, format!("quiet hours, {}", quiet.in_words())));
    }
    let open = open?;
    let share = open.opened.share() * 100.0;
    let until = open.opened.until.strftime("%Y-%m-%d %H:%M UTC");
    Some((Withholding::Breaker, format!("the breaker is open until {until}: {share:.1} % of comments alerted")))
}

/// What the budgets say: the subreddit's, and that of all together. The probe takes no place.
pub(crate) async fn by_budgets<B: Table, C: Clock>(
    (key, event): (&AlertKey, &Event<'_, Alert<'_>>),
    is_resumed: bool,
    policies: &Policies,
    budgets: &Budgets,
    (table, clock, deadline): (&B, &C, jiff::Timestamp),
) -> Result<Option<Withheld>, DeliveryError> {
    if event.data.probe {
        return Ok(None);
    }
    let subreddit = event.data.comment.subreddit.as_deref();
    let own = policies.for_subreddit(subreddit).max_alerts_per_hour;
    let of = [(own, Scope::subreddit(subreddit)), (policies.max_alerts_per_hour, Scope::all())];
    let of: Vec<Budget> =
        of.into_iter().filter_map(|(places, scope)| Some(Budget { scope, places: places? })).collect();
    let request = Request { hour: Hour::of(event.time), budgets: &of, alert: key, is_resumed };
    Ok(match budgets.take(table, clock, deadline, request).await? {
        Slot::Has => None,
        Slot::Spent(Budget { scope, places }) => {
            let whose = if scope == Scope::all() { "all subreddits together" } else { "this subreddit" };
            let places = counted(places, "alert");
            let detail = format!("the budget of {whose} is {places} an hour, and spent");
            Some((Withholding::Budget, detail))
        }
    })
}
