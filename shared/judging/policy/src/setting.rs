use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IntoDeserializer, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const NONE: &str = "none";

/// What a document says of a rule that need not be: its value, or `"none"`, which takes back what `[default]` says.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting<T> {
    /// The setting is `"none"`.
    None,
    /// The setting has a value.
    Value(T),
}

impl<T> Setting<T> {
    /// The value, where there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Setting::None => None,
            Setting::Value(value) => Some(value),
        }
    }
}

impl<T: Serialize> Serialize for Setting<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Setting::None => to.serialize_str(NONE),
            Setting::Value(value) => value.serialize(to),
        }
    }
}

/// Written by hand, because an untagged enum does not say what is wrong with the value.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Either(PhantomData))
    }
}

struct Either<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
    type Value = Setting<T>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value as docs/policies.md has it, or \"none\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Setting<T>, E> {
        if text == NONE { Ok(Setting::None) } else { Err(E::invalid_value(Unexpected::Str(text), &self)) }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Setting<T>, E> {
        T::deserialize(number.into_deserializer()).map(Setting::Value)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Setting<T>, E> {
        T::deserialize(number.into_deserializer()).map(Setting::Value)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Setting<T>, E> {
        T::deserialize(number.into_deserializer()).map(Setting::Value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Setting<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Setting::Value)
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Setting<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}_or_none", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [value, { "const": NONE }] })
    }
}
