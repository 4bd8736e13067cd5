//! What Terraform says of a deployed system: `terraform output -json`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use modstream_classifier::BaseRate;
use publish_alerts::Policy;
use serde_json::Value;

use super::input;

/// A deployed system.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) comments_stream: String,
    pub(crate) predictions_stream: String,
    pub(crate) alerts_topic_arn: String,
    pub(crate) model_name: String,
    /// The name of the harm models that it scores with; none where it scores without.
    pub(crate) harm_model_name: Option<String>,
    pub(crate) corpus_key: String,
    pub(crate) policy: Policy,
    /// The base rate, where Terraform tells it; none inside is the training data's.
    pub(crate) base_rate: Option<Option<BaseRate>>,
    /// The functions' deployed names, by function.
    functions: BTreeMap<String, String>,
    /// Event source mappings, by function.
    pub(crate) mappings: BTreeMap<String, String>,
}

impl Deployment {
    /// Reads a file; `-` is standard input.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let name = input::name(file);
        let text = input::text(file);
        let text = if input::is_standard_input(file) {
            text?
        } else {
            text.with_context(|| {
                format!("{name} can't be read: write it with `terraform -chdir=infra output -json > {name}`")
            })?
        };
        Self::parse(&text).context(name)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let outputs: Value = serde_json::from_str(text).context("this is not what `terraform output -json` prints")?;
        let outputs = outputs.as_object().context("this is not what `terraform output -json` prints")?;
        ensure!(!outputs.is_empty(), "Terraform has no outputs: apply infra/ first");
        let value = |name: &str| outputs.get(name).and_then(|output| output.get("value"));
        let text = |name: &str| {
            let found = value(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            found
                .map(str::to_owned)
                .with_context(|| format!("there is no output `{name}`: apply this release's infra/"))
        };
        let map = |name: &str| {
            let found = value(name).and_then(Value::as_object);
            let entries = found.into_iter().flatten();
            entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        };
        let policy = match value("policy") {
            Some(Value::Number(number)) => number.to_string(),
            _ => text("policy")?,
        };
        let base_rate = match value("base_rate") {
            None => None,
            Some(Value::Null) => Some(None),
            Some(value) => Some(Some(read_base_rate(value)?)),
        };
        Ok(Deployment {
            region: text("region")?,
            bucket: text("bucket")?,
            comments_stream: text("comments_stream")?,
            predictions_stream: text("predictions_stream")?,
            alerts_topic_arn: text("alerts_topic_arn")?,
            model_name: text("model_name")?,
            harm_model_name: value("harm_model_name")
                .and_then(Value::as_str)
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            corpus_key: text("corpus_key")?,
            policy: Policy::parse(&policy).context("the output `policy`")?,
            base_rate,
            functions: map("functions"),
            mappings: map("mappings"),
        })
    }

    /// The deployed name of a function.
    pub(crate) fn function(&self, name: &str) -> anyhow::Result<&str> {
        let found = self.functions.get(name).map(String::as_str);
        found.with_context(|| format!("the output `functions` does not name {name}: apply this release's infra/"))
    }

    /// Refuses a policy that is not the deployed one.
    pub(crate) fn check_policy(&self, asked: Option<&Policy>) -> anyhow::Result<()> {
        match asked {
            Some(asked) if asked.condition != self.policy.condition => bail!(
                "the deployment alerts where {}: to alert where {}, apply it with Terraform, -var 'policy={}'",
                self.policy.condition,
                asked.condition,
                asked.condition
            ),
            _ => Ok(()),
        }
    }
}

/// A number, or a text that is one.
pub(crate) fn read_base_rate(value: &Value) -> anyhow::Result<BaseRate> {
    let share = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let share = share.with_context(|| format!("the deployment's base rate is no number: {value}"))?;
    BaseRate::new(share).context("the deployment's base rate")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    fn outputs() -> Value {
        let text = |value: &str| json!({ "sensitive": false, "type": "string", "value": value });
        json!({
            "account_id": text("000000000000"),
            "region": text("us-east-1"),
            "bucket": text("modstream-000000000000-us-east-1"),
            "comments_stream": text("modstream-comments"),
            "predictions_stream": text("modstream-predictions"),
            "alerts_topic_arn": text("arn:aws:sns:us-east-1:000000000000:modstream-alerts"),
            "model_name": text("rscience"),
            "harm_model_name": text("harm"),
            "corpus_key": text("corpus/comments.jsonl"),
            "policy": text("0.7"),
            "functions": { "value": { "generate-comments": "modstream-generate-comments" } },
            "mappings": { "value": { "score-comments": "b3a7d1c2" } },
        })
    }

    fn parse(change: impl FnOnce(&mut Value)) -> anyhow::Result<Deployment> {
        let mut outputs = outputs();
        change(&mut outputs);
        Deployment::parse(&outputs.to_string())
    }

    #[test]
    fn what_terraform_prints_is_read() {
        let deployment = parse(|_| {}).expect("reads");
        assert_eq!(deployment.function("generate-comments").expect("named"), "modstream-generate-comments");
        assert_eq!((deployment.base_rate, deployment.policy.name.as_str()), (None, "default"));
        let rate = parse(|outputs| outputs["base_rate"] = json!({ "value": 0.05 })).expect("reads").base_rate;
        assert_eq!(rate.flatten().map(BaseRate::share), Some(0.05));
        let none = parse(|outputs| outputs["base_rate"] = json!({ "value": null })).expect("reads").base_rate;
        assert_eq!(none, Some(None));
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_do() {
        let said = |error: anyhow::Error| format!("{error:#}");
        let error = parse(|outputs| drop(outputs.as_object_mut().expect("an object").remove("bucket")));
        assert_eq!(said(error.expect_err("no bucket")), "there is no output `bucket`: apply this release's infra/");
        assert!(said(Deployment::parse("{}").expect_err("empty")).contains("apply infra/ first"));
        assert!(said(Deployment::parse("bucket = \"x\"").expect_err("no JSON")).contains("terraform output -json"));
        let error = Deployment::read(Path::new("nowhere.json")).expect_err("no file");
        assert!(said(error).contains("terraform -chdir=infra output -json > nowhere.json"));
    }

    #[test]
    fn a_policy_is_terraforms_to_change() {
        let deployment = parse(|_| {}).expect("reads");
        let check = |text: &str| deployment.check_policy(Some(&Policy::parse(text).expect("a policy")));
        assert!(check("probability>=0.7").is_ok() && deployment.check_policy(None).is_ok());
        let error = check("precision>=0.9").expect_err("another").to_string();
        assert!(
            error.contains("alerts where probability>=0.7") && error.contains("-var 'policy=precision>=0.9'"),
            "{error}"
        );
    }
}
