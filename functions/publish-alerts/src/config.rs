use modstream_links::LinkSettings;
use modstream_platform::environment::{Environment, Variable, VariableError};
use modstream_policy::{Policy, Severities};

/// The function's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `ALERTS_TOPIC_ARN`: where alerts go.
    pub alerts_topic_arn: String,
    /// `TABLE`: the ledger.
    pub table: String,
    /// `BUCKET`: where policies and quarantine lie.
    pub bucket: String,
    /// `POLICY`: which predictions alert.
    pub policy: Policy,
    /// `SEVERITY_HIGH` and `SEVERITY_MEDIUM`: how urgent an alert of which probability is.
    pub severities: Severities,
    /// `LINKS_BASE_URL` and `LINK_KEY_SECRET`: where alerts lead to be decided about.
    pub links: Option<LinkSettings>,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// Where a variable is missing or holds something else.
    pub fn read(environment: Environment<'_>) -> Result<Self, VariableError> {
        let default = Severities::default();
        let share = |text: &str| text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        let high = environment
            .optional(
                Variable {
                    name: "SEVERITY_HIGH",
                    wanted: "the probability that makes an alert urgent, from 0 to 1",
                    example: "0.9",
                },
                share,
            )?
            .unwrap_or(default.high);
        let medium = environment
            .optional(
                Variable {
                    name: "SEVERITY_MEDIUM",
                    wanted: "a probability from 0 to 1, at most SEVERITY_HIGH",
                    example: "0.7",
                },
                |text| share(text).filter(|medium| *medium <= high),
            )?
            .unwrap_or(default.medium.min(high));
        Ok(Config {
            alerts_topic_arn: environment.required(Variable {
                name: "ALERTS_TOPIC_ARN",
                wanted: "the ARN of the topic that alerts go to",
                example: "arn:aws:sns:eu-central-1:123456789012:modstream-alerts",
            })?,
            table: environment.required(modstream_ledger::TABLE)?,
            bucket: environment.required(Variable {
                name: "BUCKET",
                wanted: "the name of the bucket that holds policies and quarantine",
                example: "modstream-123456789012",
            })?,
            policy: environment.required_as(
                Variable {
                    name: "POLICY",
                    wanted: "a probability, a precision or a share of comments",
                    example: "precision>=0.9",
                },
                |text| Policy::parse(text).ok(),
            )?,
            severities: Severities { high, medium },
            links: LinkSettings::read(environment)?,
        })
    }
}
