//! The audience of a token: one value as a string, several as an array (RFC 7519 §4.1.3).

use std::borrow::Cow;
use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The `aud` claim. A new token borrows its text; a token that was read owns it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Audience<'a> {
    /// "In the special case when the JWT has one audience, the value MAY be a single case-sensitive string."
    One(Cow<'a, str>),
    /// "In the general case, the value is an array of case-sensitive strings."
    Many(Cow<'a, [String]>),
}

impl Audience<'_> {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::One(name) => (Some(&**name), &[][..]),
            Self::Many(names) => (None, &**names),
        };
        one.into_iter().chain(many.iter().map(String::as_str))
    }
}

/// Written by hand, because a derived implementation tries the string first and allocates an error
/// for each array.
impl<'de> Deserialize<'de> for Audience<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Audience<'static>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Audience::One(name.to_owned().into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Self::Value, A::Error> {
                let names = Vec::deserialize(SeqAccessDeserializer::new(names))?;
                Ok(Audience::Many(names.into()))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [jwt RFC 7519 §4.1.3]
    #[test]
    fn string_and_array_audiences_round_trip() {
        for (json, holds, lacks) in [(r#""api""#, "api", "ap"), (r#"["a","b"]"#, "b", "c"), ("[]", "", "a")] {
            let audience: Audience<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&audience).unwrap(), json);
            let contains = |name| audience.iter().any(|audience| audience == name);
            assert_eq!(contains(holds), !holds.is_empty(), "{json}");
            assert!(!contains(lacks), "{json}");
        }
        for other in ["7", "null", "{}", "[7]", r#"["a",["b"]]"#] {
            assert!(serde_json::from_str::<Audience<'_>>(other).is_err(), "{other}");
        }
    }
}
