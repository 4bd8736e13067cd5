use jiff::SignedDuration;
use modstream_links::LinkSettings;
use modstream_platform::environment::{Environment, Variable, VariableError};

/// The function's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `DIGESTS_TOPIC_ARN`: where digests go.
    pub digests_topic_arn: String,
    /// `TABLE`: ledger and digests.
    pub table: String,
    /// `BUCKET`: where policies lie, and who changed what is in use.
    pub bucket: String,
    /// `WINDOW_MINUTES`: how long a digest's window is, 5 where it is not set.
    pub window: SignedDuration,
    /// `LATENESS_SECONDS`: how long a window waits for alerts about its comments, 60 where it is not set.
    pub allowed_lateness: SignedDuration,
    /// `DECISIONS_STREAM`: where decisions go that did not get there at once; none where nobody decides.
    pub decisions_stream: Option<String>,
    /// `LINKS_BASE_URL` and `LINK_KEY_SECRET`: where digests lead.
    pub links: Option<LinkSettings>,
    /// `FORUM_URL`: where permalinks lead that are paths.
    pub forum: String,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// Where a variable is missing or holds something else.
    pub fn read(environment: Environment<'_>) -> Result<Self, VariableError> {
        let within = |text: &str, least: i64, most: i64| {
            text.parse::<i64>().ok().filter(|number| (least..=most).contains(number))
        };
        Ok(Config {
            digests_topic_arn: environment.required(Variable {
                name: "DIGESTS_TOPIC_ARN",
                wanted: "the ARN of the topic that digests go to",
                example: "arn:aws:sns:eu-central-1:123456789012:modstream-digests",
            })?,
            table: environment.required(modstream_ledger::TABLE)?,
            bucket: environment.required(Variable {
                name: "BUCKET",
                wanted: "the name of the bucket that holds the policies",
                example: "modstream-123456789012",
            })?,
            window: environment
                .optional(
                    Variable {
                        name: "WINDOW_MINUTES",
                        wanted: "whole minutes from 1 to 1440, as often as the schedule runs",
                        example: "5",
                    },
                    |text| within(text, 1, 1_440).map(SignedDuration::from_mins),
                )?
                .unwrap_or(SignedDuration::from_mins(5)),
            allowed_lateness: environment
                .optional(
                    Variable {
                        name: "LATENESS_SECONDS",
                        wanted: "whole seconds from 0 to 3600, what a comment takes to its alert",
                        example: "60",
                    },
                    |text| within(text, 0, 3_600).map(SignedDuration::from_secs),
                )?
                .unwrap_or(SignedDuration::from_secs(60)),
            decisions_stream: environment.optional(
                Variable {
                    name: "DECISIONS_STREAM",
                    wanted: "the name of the decisions' stream",
                    example: "modstream-decisions",
                },
                |text| Some(text.to_owned()),
            )?,
            links: LinkSettings::read(environment)?,
            forum: modstream_links::forum(environment)?,
        })
    }
}
