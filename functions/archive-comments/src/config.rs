use modstream_platform::environment::{Environment, Variable, VariableError};

/// The function's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BUCKET`: where the archive lies.
    pub bucket: String,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// Where a variable is missing.
    pub fn read(environment: Environment<'_>) -> Result<Self, VariableError> {
        Ok(Config {
            bucket: environment.required(Variable {
                name: "BUCKET",
                wanted: "the name of the bucket that holds the archive",
                example: "modstream-123456789012",
            })?,
        })
    }
}
