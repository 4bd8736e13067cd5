//! Every log event of modstream, named in one place.
//!
//! Levels are a promise: ERROR says that something may be lost, or that an operator must act for the work to go on; WARN that
//! something is set aside or put off; INFO what was done. **No event carries a comment's text or author**: the functions below
//! take none.
//!
//! Events go to [`tracing`]; without a subscriber they cost next to nothing.

use std::fmt::Display;

use kinesis_batch::{Batch, Failure, Report};
use tracing::{error, info, warn};

/// A batch is done, or done up to a record from which on it comes again. Nothing is said of an empty batch.
///
/// Where nothing went wrong this is the one line of an invocation, and paid for by the byte: it says how much was done and where,
/// and no position.
pub fn batch_handled<B, E: Display>(function: &str, batch: &Batch<'_>, report: &Report<B, E>) {
    let (Some(first), Some(last)) = (batch.records.first(), batch.records.last()) else { return };
    let (stream, shard_id) = (first.stream(), first.shard_id.as_ref());
    let (first, last) = (first.sequence_number.as_ref(), last.sequence_number.as_ref());
    let Report { records, delivered, skipped, .. } = *report;
    let quarantined = report.quarantined.len();
    match &report.failure {
        None => info!(event = "batch_done", function, stream, shard_id, records, delivered, skipped, quarantined),
        Some(Failure { sequence_number, cause }) => warn!(
            event = "batch_interrupted",
            function,
            stream,
            shard_id,
            first,
            last,
            records,
            delivered,
            skipped,
            quarantined,
            failed_at = sequence_number,
            cause = %cause
        ),
    }
}

/// A record is in quarantine.
pub fn record_quarantined(stream: &str, shard_id: &str, sequence_number: &str, reason: &str) {
    warn!(event = "record_quarantined", stream, shard_id, sequence_number, reason);
}

/// A batch lies in the archive: written now, or by an earlier delivery.
pub fn batch_archived(key: &dyn Display, bytes: usize, repeated: bool) {
    info!(event = "batch_archived", key = %key, bytes, repeated);
}

/// A model is in use.
pub fn model_loaded(name: &str, version: &str, base_rate: f64) {
    info!(event = "model_loaded", name, version, base_rate);
}

/// No base rate is configured: the training data's is assumed, at which precision may be far from the truth.
pub fn base_rate_assumed(base_rate: f64) {
    warn!(
        event = "base_rate_assumed",
        base_rate,
        hint = "say the share of comments your moderators remove: BASE_RATE, or --base-rate"
    );
}

/// A promoted model can't be used: the one before stays in use.
pub fn model_refused(in_use: &str, cause: &str) {
    error!(event = "model_refused", in_use, cause);
}

/// A harm model is in use.
pub fn harm_model_loaded(name: &str, version: &str, labels: usize) {
    info!(event = "harm_model_loaded", name, version, labels);
}

/// There is no harm model of this name: predictions have no labels.
pub fn harm_model_missing(name: &str) {
    info!(event = "harm_model_missing", name);
}

/// A promoted harm model can't be used. The one before stays in use; where there was none, predictions have no labels. Either way
/// comments are scored by the model of removals.
pub fn harm_model_refused(in_use: Option<&str>, cause: &str) {
    error!(event = "harm_model_refused", in_use, cause);
}

/// Comments were generated.
pub fn comments_generated(schedule_event: &str, comments: usize, quarantined: usize) {
    info!(event = "comments_generated", schedule_event, comments, quarantined);
}

/// Generated comments are not on the stream.
pub fn comments_unsent(schedule_event: &str, unsent: usize, comments: usize, cause: &str) {
    error!(event = "comments_unsent", schedule_event, unsent, comments, cause);
}

/// An alert is taken up again that was requested before, and neither sent nor held back.
pub fn alert_resumed(alert_id: &str) {
    warn!(event = "alert_resumed", alert_id);
}

/// Alerts are in the ledger and not published by themselves, for this reason.
pub fn alerts_withheld(reason: &str, alerts: usize) {
    info!(event = "alerts_withheld", reason, alerts);
}

/// Alerts are about an earlier text of their comment by now.
pub fn alerts_superseded(alerts: usize) {
    info!(event = "alerts_superseded", alerts);
}

/// A comment is gone, and with it the alerts about it: their text is taken away.
pub fn alerts_withdrawn(alerts: usize) {
    info!(event = "alerts_withdrawn", alerts);
}

/// A comment that would alert was deleted before.
pub fn comment_gone() {
    info!(event = "comment_gone");
}

/// A request to the front door was refused. The key is told by its name, which is no secret; none where nobody knows whose it is.
pub fn request_refused(route: &str, key: Option<&str>, reason: &str) {
    info!(event = "request_refused", route, key, reason);
}

/// A request to the front door was answered: the one line of an invocation. `refused` is why it was turned away, in a word, and
/// `comments` how many events of it are on their stream.
pub fn request_answered(
    function: &str,
    route: &str,
    status: u16,
    key: Option<&str>,
    refused: Option<&str>,
    comments: u64,
) {
    info!(event = "request_answered", function, route, status, key, refused, comments);
}

/// A request to the front door has no answer, for no fault of its caller's: a service does not answer, or an operator must act.
pub fn request_failed(route: &str, reason: &str, cause: &str, must_act: bool) {
    if must_act {
        error!(event = "request_failed", route, reason, cause);
    } else {
        warn!(event = "request_failed", route, reason, cause);
    }
}

/// There is nothing to answer checks by yet: the first request that needs a model looks again.
pub fn front_door_unready(cause: &dyn Display) {
    warn!(event = "front_door_unready", cause = %cause);
}

/// A caller sends a field that nobody knows: it is passed over. Each is said once a process. Of a field whose name may be anything,
/// the name is not said.
pub fn field_unknown(route: &str, field: &str) {
    info!(event = "field_unknown", route, field);
}

/// A comment that was asked about is not on its stream, as it should be. Its caller has the answer all the same.
pub fn comment_unkept(route: &str, cause: &str) {
    warn!(event = "comment_unkept", route, cause);
}

/// Somebody reported a comment.
pub fn comment_reported() {
    info!(event = "comment_reported");
}

/// A comment that was reported and removed had never alerted.
pub fn comment_missed() {
    info!(event = "comment_missed");
}

/// Policies are in use.
pub fn policy_loaded(version: &str, name: &str) {
    info!(event = "policy_loaded", version, name);
}

/// Policies that were pushed can't be used: those before stay in use.
pub fn policy_refused(in_use: &str, cause: &str) {
    error!(event = "policy_refused", in_use, cause);
}

/// The policies in use are not known: nothing is judged, and the batch comes again.
pub fn policy_unknown(cause: &str) {
    warn!(event = "policy_unknown", cause);
}

/// No comment can meet a policy: the model in use promises less than it asks. `scope` names the subreddit, or `default`.
pub fn policy_out_of_reach(policies: &str, scope: &str, asked: &dyn Display, model: &str, best: Promise) {
    let Promise { precision, share, base_rate } = best;
    warn!(
        event = "policy_out_of_reach",
        policies,
        scope,
        asked = %asked,
        model,
        best_precision = precision,
        least_share = share,
        base_rate,
        hint = "no comment alerts by it: ask for less, or train a model that promises more (modstream model thresholds)"
    );
}

/// The best that a model promises.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// The precision of alerts.
    pub precision: f64,
    /// The share of comments that alert.
    pub share: f64,
    /// The share of comments that moderators remove, at which that holds.
    pub base_rate: f64,
}

/// Whether the model in use can promise what policies ask is not known.
pub fn policy_reach_unknown(policies: &str, model: &str, cause: &str) {
    warn!(event = "policy_reach_unknown", policies, model, cause);
}

/// So many comments alerted that alerts are held back until `until`, or until somebody closes the breaker.
pub fn breaker_opened(breaker: &str, alerts: u64, predictions: u64, until: &dyn Display) {
    error!(
        event = "breaker_opened",
        breaker,
        alerts,
        predictions,
        until = %until,
        hint = "look at the comments, the model and the policies; `modstream breaker close` ends it"
    );
}

/// A topic took a digest.
pub fn digest_sent(digest_id: &str, start: &dyn Display, alerts: usize, withheld: usize, late: usize) {
    info!(event = "digest_sent", digest_id, start = %start, alerts, withheld, late);
}

/// A digest is sent now that was requested before and not sent.
pub fn digest_resumed(digest_id: &str) {
    warn!(event = "digest_resumed", digest_id);
}

/// The topic never takes a digest, so its alerts are in none.
pub fn digest_refused(digest_id: &str, cause: &str) {
    error!(event = "digest_refused", digest_id, cause);
}

/// The digests of a window are sent.
pub fn digests_done(start: &dyn Display, digests: usize, alerts: usize, refused: usize) {
    info!(event = "digests_done", start = %start, digests, alerts, refused);
}

/// Digests of a window are not sent: the retry or the next run goes on.
pub fn digests_unsent(start: &dyn Display, unsent: usize, digests: usize, cause: &str) {
    error!(event = "digests_unsent", start = %start, unsent, digests, cause);
}

/// An object of the ledger or of the digests holds something else: digests do without it.
pub fn digest_input_unreadable(cause: &str) {
    error!(event = "digest_input_unreadable", cause);
}

/// A moderator decided. Who did is in the decision alone.
pub fn decision_recorded(alert_id: &str, number: u32, action: &str) {
    info!(event = "decision_recorded", alert_id, number, action);
}

/// A decision is recorded and not on its stream: the next sweep sends it.
pub fn decision_unsent(alert_id: &str, number: u32, cause: &dyn Display) {
    warn!(event = "decision_unsent", alert_id, number, cause = %cause);
}

/// Decisions that might not have reached their stream were looked at.
pub fn decisions_swept(sent: usize, dropped: usize, left: usize) {
    info!(event = "decisions_swept", sent, dropped, left);
}

/// The decisions that might not have reached their stream can't be looked at: the next run does.
pub fn sweep_failed(cause: &dyn Display) {
    warn!(event = "sweep_failed", cause = %cause);
}

/// A page was asked for and can't be shown.
pub fn page_failed(page: &str, cause: &dyn Display) {
    error!(event = "page_failed", page, cause = %cause);
}

/// A digest can't be made into a message, because that panics: it is tried again by the runs to come, and the others go out.
pub fn digest_panicked(digest_id: &str, place: &str) {
    error!(event = "digest_panicked", digest_id, place, hint = "please report it");
}

/// A page can't be shown, because that panics.
pub fn page_panicked(page: &str, place: &str) {
    error!(event = "page_panicked", page, place, hint = "please report it");
}

/// The target of [`access_denied`]: a program that can't start says why in one line, and this would be another.
pub const DENIED: &str = "modstream_telemetry::denied";

/// A call is not permitted, or what it is about is not there. What is known stays as it is, and what asked for more comes again.
/// `prefix` is the beginning of the object's key, or the table's name; the log's span names the function.
pub fn access_denied(operation: &str, prefix: &str, permission: &str, cause: &str) {
    error!(
        target: DENIED,
        event = "access_denied",
        operation,
        prefix,
        permission,
        cause,
        hint = "allow the function's role the permission on the objects or the table that the prefix names: `terraform plan` \
                shows what was changed"
    );
}

/// An invocation failed as a whole: Lambda sends it again, or gives it up.
pub fn invocation_failed(function: &str, cause: &str) {
    error!(event = "invocation_failed", function, cause);
}

/// The program was asked to end, and does after the invocation at hand.
pub fn ending(function: &str) {
    info!(event = "ending", function);
}

/// A digest's email is not on its way yet: it is tried again.
pub fn email_unsent(digest: &str, cause: &str) {
    warn!(event = "email_unsent", digest, cause);
}

/// A digest's email is not sent: the server refused it, or did not take it for a day, or it can't be made. The digest is at the desk.
pub fn email_given_up(digest: &str, cause: &str) {
    error!(event = "email_given_up", digest, cause);
}

/// The file of a data folder can't be read or written: what had to be done is done once it can.
pub fn data_file_failed(cause: &dyn Display) {
    error!(event = "data_file_failed", cause = %cause);
}
