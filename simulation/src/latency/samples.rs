//! The project's sample comments, those that alert and the others.

use modstream_classifier::Scratch;
use modstream_events::Comment;
use modstream_tests::{model_files, samples_file};

use super::LEAST_PROBABILITY;

/// What comes. A simulation chooses how much of it alerts.
pub(super) struct Samples {
    alerting: Vec<Comment<'static>>,
    others: Vec<Comment<'static>>,
    share: f64,
}

impl Samples {
    /// Of which this share alerts.
    pub(super) fn read(share: f64) -> Self {
        let (model, _) = model_files().load().expect("the shipped model is sound");
        let file = samples_file();
        let comments = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let comments =
            comments.map(|line| serde_json::from_slice::<Comment<'_>>(line).expect("a comment").into_owned());
        let mut scratch = Scratch::default();
        let (alerting, others) = comments.partition(|comment| {
            let body = comment.body.as_deref().unwrap_or_default();
            let explanation = model.explain(body, 0, &mut scratch);
            explanation.outside.is_none() && explanation.score.probability() >= LEAST_PROBABILITY
        });
        Samples { alerting, others, share }
    }

    /// One of them, by two numbers from 0 up to 1: whether it alerts, and which.
    pub(super) fn draw(&self, alerts: f64, which: f64) -> &Comment<'static> {
        let from = if alerts < self.share { &self.alerting } else { &self.others };
        &from[(which * from.len() as f64) as usize]
    }
}
