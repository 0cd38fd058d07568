//! Who a token is for: one value as a string, several as an array (RFC 7519 §4.1.3).

use serde::{Deserialize, Serialize};

/// The `aud` claim, in the shape in which it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// "In the special case when the JWT has one audience, the value MAY be a single case-sensitive string."
    One(String),
    /// "In the general case, the value is an array of case-sensitive strings."
    Many(Vec<String>),
}

impl Audience {
    /// Whether the token is for `name`, compared exactly.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|audience| audience == name)
    }

    /// All that the token is for.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_are_read_and_written_as_they_are() {
        for (json, holds, lacks) in [(r#""api""#, "api", "ap"), (r#"["a","b"]"#, "b", "c"), ("[]", "", "a")] {
            let audience: Audience = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&audience).unwrap(), json);
            assert_eq!(audience.contains(holds), !holds.is_empty(), "{json}");
            assert!(!audience.contains(lacks), "{json}");
        }
        assert!(serde_json::from_str::<Audience>("7").is_err());
    }
}
