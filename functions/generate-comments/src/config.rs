use modstream_platform::environment::{Environment, Variable, VariableError};

/// The function's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `COMMENTS_STREAM`: where comments go.
    pub comments_stream: String,
    /// `BUCKET`: the corpus.
    pub bucket: String,
    /// `CORPUS_KEY`: the object with the comments, CSV or JSON Lines, plain or compressed.
    pub corpus_key: String,
    /// `RATE`: comments a second, 10 where it is not set.
    pub rate: f64,
    /// `SPREAD_SECONDS`: over how many seconds an invocation's comments are spread, 60 where it is not set.
    pub spread_seconds: f64,
}

/// About one comment a minute: an invocation a minute can't send fewer.
const LOWEST_RATE: f64 = 0.02;
/// The most comments a second that one invocation a minute sends.
const HIGHEST_RATE: f64 = 10_000.0;
/// Lambda ends a function after 15 minutes.
pub(crate) const LONGEST_SPREAD: f64 = 840.0;

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// Where a variable is missing or holds something else.
    pub fn read(environment: Environment<'_>) -> Result<Self, VariableError> {
        let number = |text: &str| text.parse::<f64>().ok();
        Ok(Config {
            comments_stream: environment.required(Variable {
                name: "COMMENTS_STREAM",
                wanted: "the name of the stream that comments go to",
                example: "modstream-comments",
            })?,
            bucket: environment.required(Variable {
                name: "BUCKET",
                wanted: "the name of the bucket that holds the corpus",
                example: "modstream-123456789012",
            })?,
            corpus_key: environment.required(Variable {
                name: "CORPUS_KEY",
                wanted: "the key of the object with sample comments",
                example: "corpus/comments.jsonl",
            })?,
            rate: environment
                .optional(
                    Variable { name: "RATE", wanted: "comments a second, from 0.02 to 10000", example: "10" },
                    |text| number(text).filter(|rate| (LOWEST_RATE..=HIGHEST_RATE).contains(rate)),
                )?
                .unwrap_or(10.0),
            spread_seconds: environment
                .optional(
                    Variable {
                        name: "SPREAD_SECONDS",
                        wanted: "seconds from 0 to 840, below the function's timeout",
                        example: "60",
                    },
                    |text| number(text).filter(|seconds| (0.0..=LONGEST_SPREAD).contains(seconds)),
                )?
                .unwrap_or(60.0),
        })
    }
}
