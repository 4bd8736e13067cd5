//! Digests by email: whoever reads the topic's outbox from where the last one that went out stands.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::SignedDuration;
use lettre::address::Envelope;
use lettre::message::{Mailbox, header};
use lettre::transport::smtp::response::{Code, Severity};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use modstream_platform::event_source::{Reader, Source as _, StreamRecord};
use modstream_platform::sqlite::{Beginning, Published, SqliteTopic, Unit};
use modstream_platform::{Clock as _, SystemClock};
use modstream_telemetry::{email_given_up, email_unsent};
use tokio::sync::watch;

use super::work::is_stopped_within;

/// The reader of the outbox.
const READER: Reader<'static> = Reader { function: "send-emails", shard: 0, lane: 0, lanes: 1 };
/// How long an email may take on its way to the server.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long it may still take when the process is asked to end.
const ENDING_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it is waited after a first failure, and at most: a server that refuses is no server to be pressed.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MAX_WAIT: Duration = Duration::from_secs(300);
/// How long an email is tried: a digest is of no use a day later, and is at the desk.
const TRIED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Where digests go by email.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct MailArgs {
    /// Send digests by email through this server: smtps://USER:PASSWORD@HOST, smtp://HOST?tls=required for STARTTLS, or smtp://HOST
    #[arg(
        long,
        value_name = "URL",
        env = "MODSTREAM_SMTP_URL",
        hide_env_values = true,
        requires = "from",
        requires = "to",
        help_heading = "Email"
    )]
    pub(super) smtp: Option<String>,
    /// Who the emails are from, such as `modstream <mod@example.org>`
    #[arg(long, value_name = "ADDRESS", env = "MODSTREAM_SMTP_FROM", value_parser = mailbox, help_heading = "Email")]
    pub(super) from: Option<Mailbox>,
    /// Who gets the emails; may be given again, or several with commas between
    #[arg(long, value_name = "ADDRESS", env = "MODSTREAM_SMTP_TO", value_parser = mailbox, value_delimiter = ',', help_heading = "Email")]
    pub(super) to: Vec<Mailbox>,
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.trim().parse().map_err(|_| "an address is such as mod@example.org, or `Mods <mod@example.org>`".to_owned())
}

/// What became of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    OrGivenUp,
    /// The next process sends it.
    NotYet,
}

/// Why an email did not go out.
#[derive(Debug)]
enum Unsent {
    /// Not now: it is tried again.
    Yet(String),
    /// The server will not take it for this recipient, however often it is asked (a reply 5yz: RFC 5321, 4.2.1).
    Ever(String),
}

/// What sends digests by email.
pub(super) struct Mailer {
    topic: SqliteTopic,
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mailer {
    /// What the arguments ask for; none where they ask for no emails: then nobody waits in the outbox.
    ///
    /// # Errors
    /// Where the server's address can't be understood, or the outbox can't be written.
    pub(super) async fn new(args: &MailArgs, topic: SqliteTopic) -> anyhow::Result<Option<Self>> {
        let (Some(url), Some(from)) = (&args.smtp, &args.from) else {
            topic.outbox().forget(READER.function).await?;
            return Ok(None);
        };
        // What was there before there was an address is old.
        topic.outbox().begin(READER.function, Beginning::Now).await?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        let builder = builder.map_err(|error| {
            // The URL holds a password.
            anyhow::anyhow!("--smtp: {error}: write smtps://USER:PASSWORD@HOST or smtp://HOST:PORT?tls=required")
        })?;
        let server = builder.timeout(Some(SEND_TIMEOUT)).build();
        Ok(Some(Mailer { topic, server, from: from.clone(), to: args.to.clone() }))
    }

    /// Sends what comes, each until the server takes or refuses it, until it is asked to stop: an email that is under way then is ended first.
    /// `failed` is told of each failure.
    pub(super) async fn run(&self, failed: impl Fn(), mut stop: watch::Receiver<bool>) {
        let outbox = self.topic.outbox();
        let mut after = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            after = outbox.checkpoint(READER) => after,
        };
        loop {
            let read = || self.topic.after(after.as_deref(), 1).unwrap_or_default();
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = outbox.changed(|| !read().is_empty()) => {}
            }
            let Some(record) = read().into_iter().next() else { continue };
            if self.send(&record, &failed, &mut stop).await == Sent::NotYet {
                return;
            }
            while !outbox.done(READER, &record.sequence_number, Unit::default()).await {
                if is_stopped_within(&mut stop, Duration::from_secs(1)).await {
                    return;
                }
            }
            after = Some(record.sequence_number.clone());
        }
    }

    /// Sends a digest to each recipient, or gives it up, unless it is asked to stop before. Each gets an email of their own: a
    /// server that refuses one of them takes it for the others, and for nobody does it hold back the digests that follow.
    async fn send(&self, record: &StreamRecord, failed: &impl Fn(), stop: &mut watch::Receiver<bool>) -> Sent {
        let given_up = |id: &str, cause: &str| {
            failed();
            email_given_up(id, cause);
        };
        let message = match Published::read(record) {
            Ok(message) => message,
            Err(error) => {
                given_up(&record.partition_key, &error.to_string());
                return Sent::OrGivenUp;
            }
        };
        let id = message.id.clone();
        let email = match self.email(message) {
            Ok(email) => email.formatted(),
            Err(error) => {
                given_up(&id, &format!("{error:#}"));
                return Sent::OrGivenUp;
            }
        };
        let mut left = self.to.clone();
        for failures in 0.. {
            let mut not_yet = Vec::new();
            for to in left {
                let sent = tokio::select! {
                    biased;
                    sent = self.send_to(&to, &email) => sent,
                    () = ending(stop.clone()) => return Sent::NotYet,
                };
                match sent {
                    Ok(()) => {}
                    Err(Unsent::Ever(cause)) => given_up(&id, &format!("{}: {cause}", to.email)),
                    Err(Unsent::Yet(cause)) => not_yet.push((to, cause)),
                }
            }
            // What keeps one from being sent is mostly the server, and the same for all.
            let Some((to, cause)) = not_yet.first() else { return Sent::OrGivenUp };
            let cause = format!("{}: {cause}", to.email);
            if SystemClock.now().duration_since(record.arrived) > TRIED_FOR {
                given_up(&id, &cause);
                return Sent::OrGivenUp;
            }
            failed();
            email_unsent(&id, &cause);
            if is_stopped_within(stop, wait_after(failures)).await {
                break;
            }
            left = not_yet.into_iter().map(|(to, _)| to).collect();
        }
        Sent::NotYet
    }

    async fn send_to(&self, to: &Mailbox, email: &[u8]) -> Result<(), Unsent> {
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.email.clone()]);
        let envelope = envelope.map_err(|error| Unsent::Ever(error.to_string()))?;
        match tokio::time::timeout(SEND_TIMEOUT, self.server.send_raw(&envelope, email)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.status().is_some_and(is_about_the_email) => Err(Unsent::Ever(error.to_string())),
            Ok(Err(error)) => Err(Unsent::Yet(error.to_string())),
            Err(_) => Err(Unsent::Yet(format!("the server did not take it within {} s", SEND_TIMEOUT.as_secs()))),
        }
    }

    fn email(&self, message: Published) -> anyhow::Result<Message> {
        let domain = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            // Mail programs show an email once that comes twice under one id.
            .message_id(Some(format!("<{}@{domain}>", message.id)))
            .subject(message.subject.unwrap_or_else(|| "modstream".to_owned()))
            .header(header::ContentType::TEXT_PLAIN);
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        builder.body(message.body).context("the email")
    }
}

/// Whether a reply refuses this email or its recipient for good. One that refuses the sender's password or wants TLS is about the
/// server's settings: whoever mends them wants the digests that wait.
fn is_about_the_email(code: Code) -> bool {
    let settings = [530, 534, 535, 538];
    code.severity == Severity::PermanentNegativeCompletion && !settings.contains(&u16::from(code))
}

/// Returns a while after an end was asked for.
async fn ending(mut stop: watch::Receiver<bool>) {
    // An error means that nobody is left to ask.
    let _ = stop.wait_for(|stop| *stop).await;
    tokio::time::sleep(ENDING_TIMEOUT).await;
}

/// How long it is waited after so many failures and one more.
fn wait_after(failures: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << failures.min(16)).min(MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_goes_on_refusing_is_asked_less_and_less() {
        assert_eq!([0, 1, 2, 8].map(wait_after).map(|wait| wait.as_secs()), [1, 2, 4, 256]);
        assert_eq!([9, 40, u32::MAX].map(wait_after), [MAX_WAIT; 3]);
        // A day of it is some hundreds of attempts.
        let day = Duration::from_secs(24 * 3600);
        assert!(day.as_secs() / MAX_WAIT.as_secs() < 300);
    }
}
