use modstream_platform::environment::{Environment, Variable, VariableError};

/// The settings of a function that serves pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `TABLE`: ledger, digests and decisions.
    pub table: String,
    /// `DECISIONS_STREAM`: where decisions go.
    pub decisions_stream: String,
    /// `LINK_KEY_SECRET`: the secret whose text signs links.
    pub link_key_secret: String,
    /// `FORUM_URL`: where permalinks lead that are paths.
    pub forum: String,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// Where a variable is missing, or can't be used.
    pub fn read(environment: Environment<'_>) -> Result<Self, VariableError> {
        let required = |name, wanted, example| environment.required(Variable { name, wanted, example });
        Ok(Config {
            table: environment.required(modstream_ledger::TABLE)?,
            decisions_stream: required("DECISIONS_STREAM", "the name of the decisions' stream", "modstream-decisions")?,
            link_key_secret: required(
                "LINK_KEY_SECRET",
                "the ARN of the secret that signs links",
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:modstream-links",
            )?,
            forum: modstream_links::forum(environment)?,
        })
    }
}
