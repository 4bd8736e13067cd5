//! A function's settings, read once from environment variables.

use std::fmt;

/// The environment variables of a function.
#[derive(Clone, Copy)]
pub struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

/// A variable that can't be used. The error says which one, what it holds, what it should hold, and gives an example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// The variable is needed, and missing or empty.
    #[error("the environment variable {name} is missing: set it to {wanted}, for example {name}={example}")]
    Missing {
        /// The variable's name.
        name: &'static str,
        /// What the variable should hold.
        wanted: &'static str,
        /// An example of a value.
        example: &'static str,
    },
    /// The variable holds something else than it should.
    #[error("the environment variable {name} holds `{found}`: set it to {wanted}, for example {name}={example}")]
    Invalid {
        /// The variable's name.
        name: &'static str,
        /// What the variable holds.
        found: String,
        /// What the variable should hold.
        wanted: &'static str,
        /// An example of a value.
        example: &'static str,
    },
}

/// A variable's name, what it should hold, and an example.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The variable's name.
    pub name: &'static str,
    /// What the variable should hold, as it stands after "set it to".
    pub wanted: &'static str,
    /// An example of a value.
    pub example: &'static str,
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Environment")
    }
}

impl<'a> Environment<'a> {
    /// Makes an environment of what `lookup` finds, such as `&|name| std::env::var(name).ok()`.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Environment(lookup)
    }

    /// The text of a variable, if it is set and not blank.
    fn text(&self, variable: Variable) -> Option<String> {
        (self.0)(variable.name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Reads a variable that must be set.
    ///
    /// # Errors
    /// [`VariableError`] where the variable is missing, empty or blank.
    pub fn required(&self, variable: Variable) -> Result<String, VariableError> {
        self.required_as(variable, |text| Some(text.to_owned()))
    }

    /// Reads a variable that must be set, by `read`.
    ///
    /// # Errors
    /// [`VariableError`] where the variable is missing, empty or blank, or `read` refuses it.
    pub fn required_as<T>(&self, variable: Variable, read: impl FnOnce(&str) -> Option<T>) -> Result<T, VariableError> {
        let Variable { name, wanted, example } = variable;
        self.optional(variable, read)?.ok_or(VariableError::Missing { name, wanted, example })
    }

    /// Reads a variable that may be set, by `read`.
    ///
    /// # Errors
    /// [`VariableError`] where the variable is set and `read` refuses it.
    pub fn optional<T>(
        &self,
        variable: Variable,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, VariableError> {
        let Variable { name, wanted, example } = variable;
        let Some(found) = self.text(variable) else {
            return Ok(None);
        };
        read(&found).map(Some).ok_or(VariableError::Invalid { name, found, wanted, example })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Variable = Variable { name: "RATE", wanted: "comments a second, above 0", example: "10" };

    #[test]
    fn an_error_names_the_variable_what_it_holds_and_an_example() {
        let lookup = |name: &str| (name == "RATE").then(|| "ten".to_owned());
        let error = Environment::new(&lookup).optional(RATE, |text| text.parse::<f64>().ok()).expect_err("no number");
        assert_eq!(
            error.to_string(),
            "the environment variable RATE holds `ten`: set it to comments a second, above 0, for example RATE=10"
        );
        let error = Environment::new(&|_| Some("  ".to_owned())).required(RATE).expect_err("blank");
        assert_eq!(
            error.to_string(),
            "the environment variable RATE is missing: set it to comments a second, above 0, for example RATE=10"
        );
        assert_eq!(Environment::new(&|_| None).optional(RATE, |text| text.parse::<f64>().ok()), Ok(None));
    }
}
