//! Phrases of people who may think of harming themselves.

use modstream_events::SelfHarm;

use crate::{AlwaysTerm, AlwaysTerms};

/// What people say in English who think of it, in the first person alone: what is said about others, or to them, is another thing.
const PHRASES: [&str; 30] = [
    "kill myself",
    "killing myself",
    "end my life",
    "ending my life",
    "take my own life",
    "taking my own life",
    "i want to die",
    "i just want to die",
    "i wanna die",
    "i wish i was dead",
    "i wish i were dead",
    "i don't want to live",
    "i dont want to live",
    "i do not want to live",
    "i don't want to be alive",
    "i dont want to be alive",
    "i don't want to be here anymore",
    "i am suicidal",
    "i'm suicidal",
    "im suicidal",
    "i feel suicidal",
    "i've been suicidal",
    "i'm feeling suicidal",
    "i have no reason to live",
    "better off without me",
    "hurt myself",
    "hurting myself",
    "harm myself",
    "harming myself",
    "cutting myself",
];

/// The route of comments by people who may harm themselves: the document's `[self_harm]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfHarmRules {
    /// The phrases that are looked for, as `always` terms are.
    pub phrases: AlwaysTerms,
    /// Whom such a person can turn to.
    pub contacts: Vec<String>,
}

impl Default for SelfHarmRules {
    fn default() -> Self {
        SelfHarmRules { phrases: AlwaysTerms::from(phrases()), contacts: Vec::new() }
    }
}

/// The phrases that are looked for where a document has none.
pub(crate) fn phrases() -> Vec<AlwaysTerm> {
    PHRASES.into_iter().map(AlwaysTerm::word).collect()
}

impl SelfHarmRules {
    /// What an alert says of a comment that holds one of the phrases.
    pub fn found(&self, phrase: &str) -> SelfHarm<'static> {
        SelfHarm {
            phrase: phrase.to_owned().into(),
            contacts: self.contacts.iter().map(|contact| contact.clone().into()).collect(),
        }
    }
}
