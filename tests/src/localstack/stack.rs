use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The stack that `cargo xtask test` started, with what Terraform made on it.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its address.
    pub endpoint: String,
    /// `terraform output -json`.
    pub outputs: Value,
    /// The command `modstream`.
    pub modstream: PathBuf,
    /// The program `cargo-lambda`.
    pub cargo_lambda: PathBuf,
    /// `<function>/bootstrap.zip` for each function.
    pub packages: PathBuf,
}

impl Stack {
    /// The one that the environment names.
    ///
    /// # Panics
    /// Where it names none: these tests are run by `cargo xtask test`.
    pub fn from_environment() -> Self {
        let text = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: `cargo xtask test` runs these tests"))
        };
        let outputs = std::fs::read(text("MODSTREAM_TEST_DEPLOYMENT")).expect("terraform output -json");
        Stack {
            endpoint: text("MODSTREAM_TEST_ENDPOINT"),
            outputs: serde_json::from_slice(&outputs).expect("JSON"),
            modstream: text("MODSTREAM_TEST_COMMAND").into(),
            cargo_lambda: text("MODSTREAM_TEST_CARGO_LAMBDA").into(),
            packages: text("MODSTREAM_TEST_PACKAGES").into(),
        }
    }

    /// An output of Terraform's.
    pub fn output(&self, name: &str) -> String {
        self.outputs[name]["value"].as_str().unwrap_or_else(|| panic!("no output {name}")).to_owned()
    }

    /// A function's name there.
    pub fn function(&self, name: &str) -> String {
        self.functions().remove(name).unwrap_or_else(|| panic!("no function {name}"))
    }

    /// All functions: what they are called there.
    pub fn functions(&self) -> BTreeMap<String, String> {
        self.by_function("functions")
    }

    /// The event source mappings' ids, by function.
    pub fn mappings(&self) -> BTreeMap<String, String> {
        self.by_function("mappings")
    }

    /// The command `modstream`, with the variables that Terraform tells for it.
    pub fn modstream(&self) -> Command {
        let mut command = Command::new(&self.modstream);
        let variables = self.output("environment");
        let variables = variables.lines().filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='));
        command.envs(variables).env("AWS_ENDPOINT_URL", &self.endpoint);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command
    }

    fn by_function(&self, output: &str) -> BTreeMap<String, String> {
        serde_json::from_value(self.outputs[output]["value"].clone()).unwrap_or_else(|_| panic!("no output {output}"))
    }
}

/// Runs a command, which must succeed; what it printed.
///
/// # Panics
/// Where it fails.
pub fn said(command: &mut Command) -> String {
    let output = ran(command);
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a command, which must fail; what it printed, on standard error last.
///
/// # Panics
/// Where it succeeds.
pub fn refused(command: &mut Command) -> String {
    let output = ran(command);
    assert!(!output.status.success(), "{command:?}: {output:?}");
    [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text")).concat()
}

fn ran(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Asks until there is an answer.
///
/// # Panics
/// Where there is none within the limit; it says what was waited for.
pub async fn until<T>(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < limit, "waited {limit:?} until {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
