use modstream_platform::environment::{Environment, Variable, VariableError};

/// The function's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `COMMENTS_STREAM`: where comments go.
    pub comments_stream: String,
    /// `BUCKET`: where the corpus lies.
    pub bucket: String,
    /// `CORPUS_KEY`: the object with the comments, CSV or JSON Lines, plain or compressed.
    pub corpus_key: String,
    /// `RATE`: how many comments a second are sent, 10 where it is not set.
    pub rate: f64,
    /// `SPREAD_SECONDS`: over how many seconds an invocation's comments are spread, 60 where it is not set.
    pub spread_seconds: f64,
}

/// The fewest comments a second: about one a minute, since an invocation a minute can't send fewer.
const MIN_RATE: f64 = 0.02;
/// The most comments a second that one invocation a minute sends.
const MAX_RATE: f64 = 10_000.0;
/// The most seconds over which comments are spread: Lambda ends a function after 15 minutes.
pub(crate) const MAX_SPREAD_SECONDS: f64 = 840.0;

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
                    |text| number(text).filter(|rate| (MIN_RATE..=MAX_RATE).contains(rate)),
                )?
                .unwrap_or(10.0),
            spread_seconds: environment
                .optional(
                    Variable {
                        name: "SPREAD_SECONDS",
                        wanted: "seconds from 0 to 840, below the function's timeout",
                        example: "60",
                    },
                    |text| number(text).filter(|seconds| (0.0..=MAX_SPREAD_SECONDS).contains(seconds)),
                )?
                .unwrap_or(60.0),
        })
    }
}
