use std::fmt::{self, Write as _};

use normal_form::name_key;
use uuid::Uuid;

/// A set of subreddits whose alerts are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(String);

/// Longer names stand in keys as a hash.
const MOST_BYTES: usize = 200;

impl Scope {
    /// All subreddits together.
    pub fn all() -> Self {
        Scope("_all".to_owned())
    }

    /// The scope of one subreddit, whatever its letters' case; comments without one are a scope too.
    pub fn subreddit(name: Option<&str>) -> Self {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Scope("_none".to_owned()) };
        let name = name_key(name);
        let mut key = String::new();
        for (position, byte) in name.bytes().enumerate() {
            // A name can be any text. Those of ours begin with an underscore.
            let is_plain = byte.is_ascii_alphanumeric() || byte == b'-' || (byte == b'_' && position > 0);
            if is_plain {
                key.push(char::from(byte));
            } else {
                // Writing into a String never fails.
                let _ = write!(key, "%{byte:02x}");
            }
        }
        if key.len() > MOST_BYTES {
            key = format!("_{}", Uuid::new_v5(&modstream_events::ids::NAMESPACE, name.as_bytes()));
        }
        Scope(key)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_scope_in_any_case_and_never_leaves_its_folder() {
        let key = |name: &str| Scope::subreddit(Some(name)).to_string();
        assert_eq!((key("AskScience"), key("ask_science-2")), ("askscience".to_owned(), "ask_science-2".to_owned()));
        assert_eq!(key("../a b/é"), "%2e%2e%2fa%20b%2f%c3%a9");
        assert_ne!(key("_all"), Scope::all().to_string());
        assert_ne!(key("_none"), Scope::subreddit(None).to_string());
        assert_eq!(Scope::subreddit(Some("")), Scope::subreddit(None));
        assert!(key(&"é".repeat(300)).len() < 64);
    }
}
