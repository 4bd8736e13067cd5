use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The object with `value`, which is JSON, under `key` in place of what stands there, if anything does; all else stays as it is
/// written.
///
/// `None` where the text is no object, or the key stands there more than once.
pub fn with_key(text: &str, key: &str, value: &str) -> Option<String> {
    let Members(members) = serde_json::from_str(text).ok()?;
    if members.iter().filter(|member| member.0 == key).count() > 1 {
        return None;
    }
    let mut object = String::with_capacity(text.len() + key.len() + value.len());
    let kept = members.iter().filter(|member| member.0 != key).map(|(key, value)| (key.as_str(), value.get()));
    for (key, value) in kept.chain([(key, value)]) {
        object.push(if object.is_empty() { '{' } else { ',' });
        object.push_str(&serde_json::to_string(key).ok()?);
        object.push(':');
        object.push_str(value);
    }
    object.push('}');
    Some(object)
}

/// The members of an object in their order, repeats included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AnObject;

        impl<'de> Visitor<'de> for AnObject {
            type Value = Members<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(AnObject)
    }
}

#[cfg(test)]
mod tests {
    use super::with_key;

    #[test]
    fn one_key_has_another_value_and_all_else_stays() {
        for (text, with) in [
            (r#"{}"#, r#"{"t":"x"}"#),
            (r#"{"a": 1e3 ,"t":[1]}"#, r#"{"a":1e3,"t":"x"}"#),
            (r#"{"t":null,"a":{"t":1,"t":2},"a":"\ud83d"}"#, r#"{"a":{"t":1,"t":2},"a":"\ud83d","t":"x"}"#),
        ] {
            assert_eq!(with_key(text, "t", "\"x\"").as_deref(), Some(with));
        }
        for none in ["", "[]", "7", "{", r#"{"t":1,"t":2}"#, "{} {}"] {
            assert_eq!(with_key(none, "t", "0"), None, "{none}");
        }
    }
}
