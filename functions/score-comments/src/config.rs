use modstream_classifier::BaseRate;
use modstream_platform::environment::{Environment, Variable, VariableError};

/// The function's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `PREDICTIONS_STREAM`: where predictions go.
    pub predictions_stream: String,
    /// `BUCKET`: where models and quarantine lie.
    pub bucket: String,
    /// `MODEL_NAME`: the model to score with.
    pub model_name: String,
    /// `HARM_MODEL_NAME`: the harm model to score with, too; none where it is not set or empty.
    pub harm_model_name: Option<String>,
    /// `BASE_RATE`: the share of comments that moderators remove; the training data's where it is not set.
    pub base_rate: Option<BaseRate>,
    /// `TOP_TERMS`: how many terms a prediction names, 5 where it is not set.
    pub top_terms: usize,
}

/// The most terms that a prediction names: nobody reads more.
const MAX_TERMS: usize = 50;

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// Where a variable is missing or holds something else.
    pub fn read(environment: Environment<'_>) -> Result<Self, VariableError> {
        Ok(Config {
            predictions_stream: environment.required(Variable {
                name: "PREDICTIONS_STREAM",
                wanted: "the name of the stream that predictions go to",
                example: "modstream-predictions",
            })?,
            bucket: environment.required(Variable {
                name: "BUCKET",
                wanted: "the name of the bucket that holds models and quarantine",
                example: "modstream-123456789012",
            })?,
            model_name: environment.required(Variable {
                name: "MODEL_NAME",
                wanted: "the name of the model to score with",
                example: "rscience",
            })?,
            harm_model_name: environment.optional(
                Variable {
                    name: "HARM_MODEL_NAME",
                    wanted: "the name of the model whose labels say how harmful a comment is",
                    example: "harm",
                },
                |text| Some(text.to_owned()),
            )?,
            base_rate: environment.optional(
                Variable {
                    name: "BASE_RATE",
                    wanted: "the share of comments that moderators remove, above 0 and below 1",
                    example: "0.05",
                },
                |text| BaseRate::new(text.parse().ok()?).ok(),
            )?,
            top_terms: environment
                .optional(
                    Variable {
                        name: "TOP_TERMS",
                        wanted: "how many terms a prediction names, from 0 to 50",
                        example: "5",
                    },
                    |text| text.parse().ok().filter(|terms| *terms <= MAX_TERMS),
                )?
                .unwrap_or(5),
        })
    }
}
