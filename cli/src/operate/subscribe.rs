//! `modstream subscribe`: who gets alerts, and who digests.

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use aws_sdk_sqs::types::QueueAttributeName;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};
use modstream_events::Severity;
use modstream_platform::CallErrorKind;
use serde_json::{Value, json};

use crate::common::aws_args::{ConnectionArgs, Level, subreddit, topic_arn, topic_name};
use crate::common::connection::{Connection, failed};
use crate::common::display::print;
use crate::common::queue_access;
use crate::common::runtime::block_on;
use crate::common::usage::{Usage, set_up};
use crate::operate::chat::{chat_of, refusal};
use crate::pipeline::queue::filter;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("to").required(true)), after_help = "Examples:
  modstream subscribe --sqs arn:aws:sqs:eu-central-1:123456789012:moderators --allow
  modstream subscribe --https https://example.org/alerts --subreddit science --severity high --severity medium
  modstream subscribe --email mods@example.org --subreddit science

A queue and a webhook get alerts, one by one, each the event itself. The incoming webhook of Slack, Discord or Teams is
none of these: docs/deploy.md says what to do for a chat. Email and SMS get digests, one a subreddit and window: SNS takes an email
subscription away that gets more than ten messages a second. A digest's severity is the highest of its alerts.

A repeat changes the subscription that is there. Filters hold from a few seconds to 15 minutes later.")]
pub(crate) struct SubscribeArgs {
    /// The alerts' topic
    #[arg(long, value_name = "ARN", env = "MODSTREAM_ALERTS_TOPIC_ARN", value_parser = topic_arn)]
    pub(crate) topic: Option<String>,
    /// The digests' topic, for --email and --sms
    #[arg(long, value_name = "ARN", env = "MODSTREAM_DIGESTS_TOPIC_ARN", value_parser = topic_arn)]
    pub(crate) digests_topic: Option<String>,
    /// A queue that gets the alerts, an event each
    #[arg(long, value_name = "ARN_OR_URL", group = "to", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) sqs: Option<String>,
    /// A webhook that gets the alerts, an event each; it must confirm the subscription first, which no chat's webhook can
    #[arg(long, value_name = "URL", group = "to", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) https: Option<String>,
    /// An address that gets digests; who reads it must confirm the subscription first
    #[arg(long, value_name = "ADDRESS", group = "to", value_parser = email)]
    pub(crate) email: Option<String>,
    /// A phone that gets digests: the counts, and a link
    #[arg(long, value_name = "NUMBER", group = "to", value_parser = phone)]
    pub(crate) sms: Option<String>,
    /// Only what is of this subreddit, in its exact case; may be given again
    #[arg(long, value_name = "NAME", value_parser = subreddit)]
    pub(crate) subreddit: Vec<String>,
    /// Only what is of this severity; may be given again
    #[arg(long, value_name = "LEVEL")]
    pub(crate) severity: Vec<Level>,
    /// The queue that keeps what the subscriber does not take; without one they end with SNS' retries
    #[arg(long, value_name = "ARN", env = "MODSTREAM_UNDELIVERED_QUEUE_ARN", value_parser = queue_arn)]
    pub(crate) undelivered: Option<String>,
    /// Let the topic send to the queue, by a statement more in the queue's policy
    #[arg(long, requires = "sqs")]
    pub(crate) allow: bool,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

fn email(text: &str) -> Result<String, String> {
    let parts = text.split_once('@');
    let is_address = parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
    if is_address && text.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err("an address looks like mods@example.org".to_owned())
}

fn phone(text: &str) -> Result<String, String> {
    // E.164, as SNS wants it.
    let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let digits = number.strip_prefix('+').unwrap_or_default();
    if (7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(number);
    }
    Err("a number begins with + and the country, such as +4915112345678".to_owned())
}

fn queue_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["arn", _, "sqs", _, _, name] if !name.is_empty() && !name.ends_with(".fifo") => Ok(text.to_owned()),
        _ => {
            Err("a standard queue's ARN looks like arn:aws:sqs:eu-central-1:123456789012:modstream-alerts-undelivered"
                .to_owned())
        }
    }
}

impl SubscribeArgs {
    /// Runs `modstream subscribe`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let subscriber = Subscriber::of(&self)?;
        if let (SubscriberKind::Webhook, Some(chat)) = (subscriber.kind, chat_of(subscriber.named)) {
            bail!("{}: {}", subscriber.named, refusal(chat));
        }
        let done = block_on(async {
            let connection = Connection::open(&self.connection.at_topic(subscriber.topic)).await?;
            subscribe(&self, subscriber, &connection).await
        })?;
        report(&self, subscriber, &done)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Who is to get alerts or digests, and of which topic.
#[derive(Clone, Copy)]
struct Subscriber<'a> {
    kind: SubscriberKind,
    /// The endpoint as it was named.
    named: &'a str,
    topic: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SubscriberKind {
    Queue,
    Webhook,
    Email,
    Sms,
}

impl<'a> Subscriber<'a> {
    fn of(args: &'a SubscribeArgs) -> anyhow::Result<Self> {
        let all = [
            (SubscriberKind::Queue, &args.sqs),
            (SubscriberKind::Webhook, &args.https),
            (SubscriberKind::Email, &args.email),
            (SubscriberKind::Sms, &args.sms),
        ];
        let named = all.into_iter().find_map(|(kind, named)| Some((kind, named.as_deref()?)));
        let (kind, named) = named.context("say --sqs, --https, --email or --sms")?;
        let topic = if kind.gets_digests() {
            args.digests_topic.as_deref().ok_or_else(|| {
                Usage::error(format!(
                    "email and SMS get digests (alerts come one by one, and SNS takes an email subscription away that gets \
                     more than ten messages a second): say the digests' topic with --digests-topic; {}",
                    set_up("MODSTREAM_DIGESTS_TOPIC_ARN")
                ))
            })?
        } else {
            args.topic.as_deref().ok_or_else(|| {
                Usage::error(format!("say the alerts' topic with --topic; {}", set_up("MODSTREAM_ALERTS_TOPIC_ARN")))
            })?
        };
        Ok(Subscriber { kind, named, topic })
    }
}

impl SubscriberKind {
    fn gets_digests(self) -> bool {
        matches!(self, SubscriberKind::Email | SubscriberKind::Sms)
    }

    /// What the subscription brings: alerts or digests.
    fn what(self) -> &'static str {
        if self.gets_digests() { "digests" } else { "alerts" }
    }
}

/// A subscription that was made, changed or left as it was.
struct Done {
    what: Change,
    arn: String,
    endpoint: String,
    filter: Option<Value>,
    undelivered: Option<String>,
    /// What the subscriber has still to do, or to know.
    note: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Made,
    Changed,
    WasThere,
}

async fn subscribe(args: &SubscribeArgs, subscriber: Subscriber<'_>, connection: &Connection) -> anyhow::Result<Done> {
    let Subscriber { kind, named, topic } = subscriber;
    let mut severities = args.severity.clone();
    severities.sort_unstable();
    severities.dedup();
    let severities: Vec<&str> = severities.into_iter().map(|level| Severity::from(level).as_str()).collect();
    let filter = filter(&args.subreddit, &severities);
    // Before a queue's policy is changed for a topic that is not there.
    let call = connection.sns().list_subscriptions_by_topic().topic_arn(topic).send();
    let found = Box::pin(call).await.map_err(failed("sns", "ListSubscriptionsByTopic"));
    found.with_context(|| format!("the topic {topic} can't be used"))?;
    let (endpoint, note) = match kind {
        SubscriberKind::Queue => queue_endpoint(args, connection, topic, named).await?,
        SubscriberKind::Webhook => (webhook(connection, named)?, None),
        SubscriberKind::Email => (named.to_owned(), None),
        SubscriberKind::Sms => (
            named.to_owned(),
            Some(
                "while the account is in SNS' SMS sandbox, only numbers that were verified there get anything"
                    .to_owned(),
            ),
        ),
    };
    let undelivered = args.undelivered.as_deref();
    let target = Target { connection, topic, endpoint: &endpoint, kind, undelivered };
    let (what, arn, is_pending) = target.subscribe(filter.as_ref()).await?;
    let pending = is_pending.then(|| match kind {
        SubscriberKind::Email => format!(
            "it is not confirmed yet: SNS has sent {endpoint} a message with a link; follow it within two days, or run this \
             again for a new one. No digest goes there before"
        ),
        _ => format!(
            "it is not confirmed yet: SNS has sent {endpoint} a message of the type SubscriptionConfirmation; get its \
             SubscribeURL within two days, or run this again for a new one. No alert goes there before"
        ),
    });
    Ok(Done { what, arn, endpoint, filter, undelivered: args.undelivered.clone(), note: pending.or(note) })
}

fn webhook(connection: &Connection, url: &str) -> anyhow::Result<String> {
    let is_local_http = url.starts_with("http://") && connection.is_elsewhere();
    ensure!(
        url.starts_with("https://") || is_local_http,
        "{url}: a webhook's address begins with https:// (with http:// on a local stack alone: alerts hold what people wrote)"
    );
    Ok(url.to_owned())
}

/// The queue's ARN, once its policy lets the topic send; and what could not be looked at.
async fn queue_endpoint(
    args: &SubscribeArgs,
    connection: &Connection,
    topic: &str,
    queue: &str,
) -> anyhow::Result<(String, Option<String>)> {
    let sqs = connection.sqs();
    let url = if queue.starts_with("http://") || queue.starts_with("https://") {
        queue.to_owned()
    } else {
        let parts: Vec<&str> = queue.split(':').collect();
        let ["arn", _, "sqs", region, account, name] = parts[..] else {
            bail!(
                "{queue} is neither a queue's ARN, such as arn:aws:sqs:eu-central-1:123456789012:moderators, nor its URL"
            );
        };
        if region != connection.region() {
            // Its policy can be read from there alone.
            return Ok((queue.to_owned(), Some(unseen(queue, topic, "it is in another region"))));
        }
        let call = sqs.get_queue_url().queue_name(name).queue_owner_aws_account_id(account);
        match Box::pin(call.send()).await.map_err(failed("sqs", "GetQueueUrl")) {
            Ok(found) => found.queue_url.unwrap_or_default(),
            Err(error) if is_refusal(&error) => {
                return Ok((queue.to_owned(), Some(unseen(queue, topic, &error.message))));
            }
            Err(error) => {
                return Err(error).with_context(|| format!("there is no queue {queue}, or it may not be seen"));
            }
        }
    };
    let call = sqs.get_queue_attributes().queue_url(&url);
    let call = call.attribute_names(QueueAttributeName::QueueArn).attribute_names(QueueAttributeName::Policy);
    let found = match Box::pin(call.send()).await.map_err(failed("sqs", "GetQueueAttributes")) {
        Ok(found) => found.attributes.unwrap_or_default(),
        Err(error) if is_refusal(&error) && !queue.starts_with("http") => {
            return Ok((queue.to_owned(), Some(unseen(queue, topic, &error.message))));
        }
        Err(error) => return Err(error).with_context(|| format!("there is no queue {queue}, or it may not be seen")),
    };
    let arn = found.get(&QueueAttributeName::QueueArn).cloned().with_context(|| format!("{queue} has no ARN"))?;
    ensure!(
        !arn.ends_with(".fifo"),
        "{arn} is a FIFO queue: the alerts' topic is none, and sends to standard queues alone"
    );
    let text = found.get(&QueueAttributeName::Policy).filter(|text| !text.is_empty());
    let in_force = text.map(|text| serde_json::from_str::<Value>(text)).transpose();
    let in_force = in_force.with_context(|| format!("the policy of {arn} is no JSON"))?;
    if in_force.as_ref().is_some_and(|it| queue_access::allows(it, &arn, topic)) {
        return Ok((arn, None));
    }
    let statement = queue_access::statement(&arn, topic);
    ensure!(
        args.allow,
        "the policy of {arn} does not let the topic send to it; nothing was done. Say --allow, or add this statement: {statement}"
    );
    let changed = queue_access::with(in_force, &statement).to_string();
    let call = sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::Policy, changed);
    Box::pin(call.send()).await.map_err(failed("sqs", "SetQueueAttributes"))?;
    let note = format!("the queue's policy has a statement more, which lets the topic send: {statement}");
    Ok((arn, Some(note)))
}

fn is_refusal(error: &modstream_platform::CallError) -> bool {
    error.kind == CallErrorKind::Denied && !error.message.contains("NonExistentQueue")
}

fn unseen(queue: &str, topic: &str, why: &str) -> String {
    let statement = queue_access::statement(queue, topic);
    format!(
        "whether the queue's policy lets the topic send can't be seen ({why}); it needs this statement: {statement}"
    )
}

/// The topic, and the endpoint that is subscribed to it.
struct Target<'a> {
    connection: &'a Connection,
    topic: &'a str,
    endpoint: &'a str,
    kind: SubscriberKind,
    undelivered: Option<&'a str>,
}

/// SNS gives this instead of an ARN.
const PENDING: &str = "PendingConfirmation";

impl Target<'_> {
    /// What was done, the subscription's ARN, and whether it waits to be confirmed.
    async fn subscribe(&self, filter: Option<&Value>) -> anyhow::Result<(Change, String, bool)> {
        match self.existing().await? {
            Some(arn) if arn != PENDING => {
                let changed = self.change(&arn, filter).await?;
                Ok((if changed { Change::Changed } else { Change::WasThere }, arn, false))
            }
            _ => {
                let arn = self.make(filter).await?;
                // Whoever owns a queue may subscribe it; a webhook and an address could be anybody's. SNS asks no
                // phone.
                Ok((Change::Made, arn, matches!(self.kind, SubscriberKind::Webhook | SubscriberKind::Email)))
            }
        }
    }

    fn protocol(&self) -> &'static str {
        match self.kind {
            SubscriberKind::Queue => "sqs",
            SubscriberKind::Webhook if self.endpoint.starts_with("https://") => "https",
            SubscriberKind::Webhook => "http",
            SubscriberKind::Email => "email",
            SubscriberKind::Sms => "sms",
        }
    }

    async fn existing(&self) -> anyhow::Result<Option<String>> {
        let call = self.connection.sns().list_subscriptions_by_topic().topic_arn(self.topic);
        let mut pages = call.into_paginator().send();
        while let Some(page) = Box::pin(pages.next()).await {
            let page = page.map_err(failed("sns", "ListSubscriptionsByTopic"))?;
            let mut all = page.subscriptions.unwrap_or_default().into_iter();
            let found = all.find(|it| {
                it.protocol.as_deref() == Some(self.protocol()) && it.endpoint.as_deref() == Some(self.endpoint)
            });
            if let Some(found) = found {
                return Ok(found.subscription_arn);
            }
        }
        Ok(None)
    }

    async fn make(&self, filter: Option<&Value>) -> anyhow::Result<String> {
        let call = self.connection.sns().subscribe().topic_arn(self.topic).protocol(self.protocol());
        let mut call = call.endpoint(self.endpoint).return_subscription_arn(true);
        for (name, value) in self.attributes(filter) {
            // None is what a new subscription has.
            if value != "{}" {
                call = call.attributes(name, value);
            }
        }
        let made = Box::pin(call.send()).await.map_err(failed("sns", "Subscribe"));
        let made = made.with_context(|| format!("{} can't be subscribed to {}", self.endpoint, self.topic))?;
        Ok(made.subscription_arn.unwrap_or_default())
    }

    /// What a subscription is to be like.
    fn attributes(&self, filter: Option<&Value>) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        if matches!(self.kind, SubscriberKind::Queue | SubscriberKind::Webhook) {
            // The event itself, without SNS' envelope, as `infra/` has it, too.
            all.push(("RawMessageDelivery", "true".to_owned()));
        }
        // One that is there stays where none is named.
        if let Some(queue) = self.undelivered {
            all.push(("RedrivePolicy", json!({ "deadLetterTargetArn": queue }).to_string()));
        }
        if filter.is_some() {
            all.push(("FilterPolicyScope", "MessageAttributes".to_owned()));
        }
        // An empty one takes a filter away.
        all.push(("FilterPolicy", filter.map_or_else(|| "{}".to_owned(), Value::to_string)));
        all
    }

    /// Makes a subscription what it is to be; whether there was something to change.
    async fn change(&self, arn: &str, filter: Option<&Value>) -> anyhow::Result<bool> {
        let sns = self.connection.sns();
        let ask = sns.get_subscription_attributes().subscription_arn(arn);
        let found = Box::pin(ask.send()).await.map_err(failed("sns", "GetSubscriptionAttributes"))?;
        let found = found.attributes.unwrap_or_default();
        let mut has_changed = false;
        for (name, wanted) in self.attributes(filter) {
            let now = found.get(name).map(String::as_str);
            if is_same(name, now, &wanted) {
                continue;
            }
            let set = sns.set_subscription_attributes().subscription_arn(arn).attribute_name(name);
            let set = Box::pin(set.attribute_value(&wanted).send()).await;
            let failed = set.map_err(failed("sns", "SetSubscriptionAttributes"));
            failed.with_context(|| format!("{name} of {arn} can't be set to {wanted}"))?;
            has_changed = true;
        }
        Ok(has_changed)
    }
}

fn is_same(name: &str, now: Option<&str>, wanted: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    match name {
        "FilterPolicy" => json(now.filter(|now| !now.is_empty()).unwrap_or("{}")) == json(wanted),
        "RedrivePolicy" => now.and_then(json) == json(wanted),
        "FilterPolicyScope" => now.is_none_or(|now| now == wanted),
        _ => now == Some(wanted),
    }
}

fn report(args: &SubscribeArgs, subscriber: Subscriber<'_>, done: &Done) -> anyhow::Result<()> {
    let Done { what, arn, endpoint, filter, undelivered, note } = done;
    let what = match what {
        Change::Made => "subscribed",
        Change::Changed => "changed",
        Change::WasThere => "unchanged",
    };
    if args.json {
        let line = json!({
            "what": what,
            "subscription_arn": arn,
            "topic": subscriber.topic,
            "endpoint": endpoint,
            "filter": filter,
            "undelivered": undelivered,
            "note": note,
        });
        return Ok(print(&format!("{line}\n"))?);
    }
    let of = match filter {
        None => format!("all {}", subscriber.kind.what()),
        Some(filter) => {
            let list = |name: &str| {
                let all = filter[name].as_array()?.iter().filter_map(Value::as_str);
                Some(format!("{name} {}", all.collect::<Vec<_>>().join(" or ")))
            };
            let parts: Vec<String> = ["subreddit", "severity"].into_iter().filter_map(list).collect();
            format!("{} with {}", subscriber.kind.what(), parts.join(" and "))
        }
    };
    let topic = topic_name(subscriber.topic);
    let mut text = format!("{what}: {endpoint} gets {of} of {topic}\n{arn}\n");
    text += &match undelivered {
        Some(queue) => format!("what it does not take goes to {queue}\n"),
        None if subscriber.kind.gets_digests() => String::new(),
        None => "what it does not take within SNS' retries is not kept for it, but in the ledger alone: --undelivered \
                 names a queue that keeps it\n"
            .to_owned(),
    };
    if let Some(note) = note {
        text += &format!("{note}\n");
    }
    Ok(print(&text)?)
}
