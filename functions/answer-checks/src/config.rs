use modstream_classifier::BaseRate;
use modstream_gateway::Settings;
use modstream_platform::environment::{Environment, Variable, VariableError};
use modstream_policy::Policy;

/// The function's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `BUCKET`: where models, policies, keys and feedback lie.
    pub bucket: String,
    /// `COMMENTS_STREAM`: where comments go.
    pub comments_stream: String,
    /// `MODEL_NAME`: the model of removals.
    pub model_name: String,
    /// `HARM_MODEL_NAME`: the harm model that comments are scored with; none where it is not set or empty.
    pub harm_model_name: Option<String>,
    /// `BASE_RATE`: the share of comments that moderators remove; the training data's where it is not set.
    pub base_rate: Option<BaseRate>,
    /// `POLICY`: which predictions alert where the bucket has no policies.
    pub policy: Policy,
    /// `FRONT_DOOR`: which label answers for which name; the default where it is not set.
    pub settings: Settings,
    /// `CORAL_SECRET`: the secret whose lines are those by which Coral signs; none where it is not set.
    pub coral_secret: Option<String>,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// Where a variable is missing or holds something else.
    pub fn read(environment: Environment<'_>) -> Result<Self, ConfigError> {
        let text = |name, wanted, example| {
            environment.optional(Variable { name, wanted, example }, |text| Some(text.to_owned()))
        };
        let required = |name, wanted, example| environment.required(Variable { name, wanted, example });
        let document = text("FRONT_DOOR", "which label answers for which name, in TOML", "[requests]")?;
        Ok(Config {
            bucket: required(
                "BUCKET",
                "the name of the bucket that holds models, policies and keys",
                "modstream-123456789012",
            )?,
            comments_stream: required("COMMENTS_STREAM", "the name of the comments' stream", "modstream-comments")?,
            model_name: required("MODEL_NAME", "the name of the model of removals", "rscience")?,
            harm_model_name: text(
                "HARM_MODEL_NAME",
                "the name of the model whose labels say how harmful a comment is",
                "harm",
            )?,
            base_rate: environment.optional(
                Variable {
                    name: "BASE_RATE",
                    wanted: "the share of comments that moderators remove, above 0 and below 1",
                    example: "0.05",
                },
                |text| BaseRate::new(text.parse().ok()?).ok(),
            )?,
            policy: environment.required_as(
                Variable {
                    name: "POLICY",
                    wanted: "a probability, a precision or a share of comments",
                    example: "precision>=0.9",
                },
                |text| Policy::parse(text).ok(),
            )?,
            settings: Settings::parse(document.as_deref().unwrap_or_default())?,
            coral_secret: text(
                "CORAL_SECRET",
                "the ARN of the secret by which Coral signs",
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:coral",
            )?,
        })
    }
}

/// Settings that can't be gone by.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable is missing, or holds something else.
    #[error(transparent)]
    Variable(#[from] VariableError),
    /// The document is none.
    #[error("the environment variable FRONT_DOOR: {0}")]
    Settings(#[from] modstream_gateway::SettingsError),
}
