use modstream_platform::environment::{Environment, Variable, VariableError};

/// The settings of a function that serves pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `TABLE`: where ledger, digests and decisions lie.
    pub table: String,
    /// `BUCKET`: where it is noted which sign-in links were used.
    pub bucket: String,
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
            table: required("TABLE", "the name of the table that holds the ledger", "modstream-state")?,
            bucket: required("BUCKET", "the name of the system's bucket", "modstream-123456789012")?,
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
