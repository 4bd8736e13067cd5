use modstream_desk::Access;
use modstream_platform::environment::{Environment, Variable, VariableError};

/// The function's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The settings that all pages need.
    pub pages: modstream_desk::Config,
    /// `DESK_ACCESS`: who may see the desk, `iam` or `signed-link`.
    pub access: Access,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// Where a variable is missing, or can't be used.
    pub fn read(environment: Environment<'_>) -> Result<Self, VariableError> {
        let access = Variable { name: "DESK_ACCESS", wanted: "`iam` or `signed-link`", example: "iam" };
        let named = |text: &str| match text {
            "iam" => Some(Access::Iam),
            "signed-link" => Some(Access::SignedLink),
            _ => None,
        };
        Ok(Config {
            pages: modstream_desk::Config::read(environment)?,
            access: environment.required_as(access, named)?,
        })
    }
}
