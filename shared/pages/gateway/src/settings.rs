//! Which label of which model answers for which name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};

use crate::judging::{Measure, Models};

/// The attribute that says how probable it is that a moderator would remove the comment. No other may be answered by that.
pub(crate) const REMOVAL_ATTRIBUTE: &str = "MODSTREAM_REMOVAL";

/// The keys that every result of OpenAI's has.
pub(crate) const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

const DEFAULT: &str = include_str!("../default.toml");

/// What the front door answers by: a checked document.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub(crate) attributes: BTreeMap<String, Measure>,
    pub(crate) categories: BTreeMap<String, Flagged>,
    pub(crate) coral: Coral,
    pub(crate) requests: Requests,
}

/// A document that can't be gone by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The document is no TOML, or has other fields or values than are known.
    #[error("{0}")]
    Document(String),
    /// A label that no model has.
    #[error("{name} is to be answered by {measure}, which no model measures; there are {known}")]
    Unknown {
        /// What is to be answered.
        name: String,
        /// The label that is named.
        measure: String,
        /// The labels that there are.
        known: String,
    },
}

/// A label, and from which probability on it counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flagged {
    pub(crate) label: Measure,
    #[serde(deserialize_with = "share")]
    pub(crate) from: f64,
}

/// What Coral is told.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Coral {
    pub(crate) toxic: Flagged,
    pub(crate) policies: ByPolicies,
}

/// What becomes of a comment that the policies alert about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ByPolicies {
    Withhold,
    Ignore,
}

/// How requests are taken.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requests {
    pub(crate) languages: Vec<String>,
    pub(crate) store: Store,
    pub(crate) feedback_per_minute: u32,
}

/// Whether what is analysed becomes a comment of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Store {
    AsAsked,
    Never,
}

/// A document as it is written: tables that are left out are those of the default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    attributes: Option<BTreeMap<String, Measure>>,
    categories: Option<BTreeMap<String, Flagged>>,
    coral: Option<Coral>,
    requests: Option<Requests>,
}

impl<'de> Deserialize<'de> for Measure {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

fn share<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(from)?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(D::Error::custom(format!("{share} is no number from 0 to 1")))
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, SettingsError> {
    toml::from_str(text).map_err(|error| SettingsError::Document(error.to_string().trim_end().to_owned()))
}

impl Settings {
    /// Reads a document, whose tables hold in place of those of the default.
    ///
    /// # Errors
    /// Where it is none; the error says where.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let default: Settings = read(DEFAULT)?;
        let own: Document = read(text)?;
        let settings = Settings {
            attributes: own.attributes.unwrap_or(default.attributes),
            categories: own.categories.unwrap_or(default.categories),
            coral: own.coral.unwrap_or(default.coral),
            requests: own.requests.unwrap_or(default.requests),
        };
        for (name, measure) in &settings.attributes {
            // Whoever reads toxicity and gets what moderators remove has another number than it says.
            let problem = match (name == REMOVAL_ATTRIBUTE, measure) {
                (false, Measure::Removal) => format!(
                    "attributes.{name}: what moderators remove is no measure of it; `removal` may be called \
                     {REMOVAL_ATTRIBUTE} alone"
                ),
                (true, Measure::Label { .. }) => {
                    format!("attributes.{name}: it is the probability of a removal: say `removal`, or leave it out")
                }
                _ if !is_name(name) => format!("attributes.{name}: a name has capitals, digits and `_`"),
                _ => continue,
            };
            return Err(SettingsError::Document(problem));
        }
        let of_harm =
            settings.categories.iter().map(|(name, flagged)| (format!("categories.{name:?}"), &flagged.label));
        for (name, measure) in of_harm.chain([("coral.toxic".to_owned(), &settings.coral.toxic.label)]) {
            if *measure == Measure::Removal {
                let problem = format!("{name}: what moderators remove is no measure of it; say a label of harm");
                return Err(SettingsError::Document(problem));
            }
        }
        if let Some(name) = settings.categories.keys().find(|name| !CATEGORIES.contains(&name.as_str())) {
            let known = CATEGORIES.join(", ");
            return Err(SettingsError::Document(format!("categories.{name:?} is no category; there are {known}")));
        }
        Ok(settings)
    }

    /// Checks that there is a model for every label.
    ///
    /// # Errors
    /// At the first that no model measures.
    pub fn check(&self, models: &Models) -> Result<(), SettingsError> {
        let attributes = self.attributes.iter().map(|(name, measure)| (format!("attributes.{name}"), measure));
        let categories = self.categories.iter().map(|(name, flagged)| (format!("categories.{name:?}"), &flagged.label));
        let coral = [("coral.toxic".to_owned(), &self.coral.toxic.label)];
        for (name, measure) in attributes.chain(categories).chain(coral) {
            if !models.has(measure) {
                let measure = match measure {
                    Measure::Removal => "removal".to_owned(),
                    Measure::Label { model, label } => format!("{model}/{label}"),
                };
                return Err(SettingsError::Unknown { name, measure, known: models.known().join(", ") });
            }
        }
        Ok(())
    }

    /// How many scores a key may suggest a minute.
    pub fn feedback_per_minute(&self) -> u32 {
        self.requests.feedback_per_minute
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_document_toxicity_is_harm_and_nothing_but_its_own_name_is_removal() {
        let settings = Settings::parse("").expect("the default is sound");
        let of = |name: &str| settings.attributes.get(name);
        let toxic = Measure::Label { model: "harm".to_owned(), label: "toxic".to_owned() };
        assert_eq!(of("TOXICITY"), Some(&toxic));
        assert_eq!((of("MODSTREAM_REMOVAL"), of("IDENTITY_ATTACK"), of("SPAM")), (Some(&Measure::Removal), None, None));
        let removal: Vec<_> = settings.attributes.iter().filter(|(_, of)| **of == Measure::Removal).collect();
        assert_eq!(removal.len(), 1);
    }

    #[test]
    fn a_table_holds_in_place_of_the_defaults_whole() {
        let settings = Settings::parse("[attributes]\nSPAM = \"ours/spam\"").expect("sound");
        assert_eq!(settings.attributes.keys().collect::<Vec<_>>(), ["SPAM"]);
        assert_eq!(settings.categories, Settings::parse("").expect("sound").categories);
    }

    #[test]
    fn what_would_call_a_number_by_another_name_is_refused_with_its_place() {
        for (text, part) in [
            ("[attributes]\nTOXICITY = \"removal\"", "attributes.TOXICITY"),
            ("[attributes]\nMODSTREAM_REMOVAL = \"harm/toxic\"", "attributes.MODSTREAM_REMOVAL"),
            ("[attributes]\ntoxicity = \"harm/toxic\"", "capitals"),
            ("[attributes]\nTOXICITY = \"toxic\"", "MODEL/LABEL"),
            ("[categories]\nharassment = { label = \"removal\", from = 0.5 }", "harassment"),
            ("[categories]\nrudeness = { label = \"harm/toxic\", from = 0.5 }", "no category"),
            ("[categories]\nharassment = { label = \"harm/toxic\", from = 1.5 }", "0 to 1"),
            ("[categories]\nharassment = { label = \"harm/toxic\" }", "from"),
            ("[coral]\ntoxic = { label = \"removal\", from = 0.5 }\npolicies = \"ignore\"", "coral.toxic"),
            ("[attribute]\n", "attribute"),
            ("nonsense", "line 1"),
        ] {
            let error = Settings::parse(text).expect_err(text).to_string();
            assert!(error.contains(part), "{part} is missing in {error}");
        }
    }
}
