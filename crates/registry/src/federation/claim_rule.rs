//! What a rule says about one claim of an assertion.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::TextPattern;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClaimRule {
    /// A rule from before migration 57. It compares the JSON text of numbers and booleans.
    Earlier(TextPattern),
    /// One of these values. A text is a pattern and matches only texts. Numbers and booleans must be equal.
    OneOf(Vec<Value>),
}

impl ClaimRule {
    #[must_use]
    pub fn written(&self) -> Value {
        match self {
            Self::Earlier(pattern) => match serde_json::from_str(pattern.as_str()) {
                Ok(value @ (Value::Number(_) | Value::Bool(_))) => json!([pattern.as_str(), value]),
                _ => pattern.as_str().into(),
            },
            Self::OneOf(values) => match values.as_slice() {
                [value] => value.clone(),
                values => values.into(),
            },
        }
    }

    /// Whether a claim is accepted. A list is accepted if one of its members is.
    pub(crate) fn fits(&self, claim: &Value) -> bool {
        match claim {
            Value::Array(items) => items.iter().any(|item| !item.is_array() && self.fits(item)),
            Value::Null | Value::Object(_) => false,
            _ => match (self, claim) {
                (Self::Earlier(pattern), Value::String(text)) => pattern.matches(text),
                (Self::Earlier(pattern), _) => pattern.matches(&claim.to_string()),
                (Self::OneOf(values), _) => values.iter().any(|value| match (value, claim) {
                    (Value::String(pattern), Value::String(text)) => TextPattern::new(pattern).matches(text),
                    _ => value == claim,
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [third 16]
    #[test]
    fn rule_values_match_only_their_json_type() {
        for (rule, fitting, others) in [
            (json!([65]), json!([65]), json!(["65", 66, 65.0, true, null, {}])),
            (json!([true]), json!([true]), json!(["true", false, 1])),
            (json!(["65"]), json!(["65"]), json!([65, "066"])),
            (json!(["6*"]), json!(["6", "65"]), json!([65, "56"])),
            (json!(["65", 65]), json!(["65", 65]), json!(["66", 66])),
            // A stored rule from before migration 57, which ignores JSON types.
            (json!("65"), json!(["65", 65]), json!(["66", 66])),
            (json!("true"), json!(["true", true]), json!([false])),
            (json!("6*"), json!(["65", 65]), json!([56])),
        ] {
            let read: ClaimRule = serde_json::from_value(rule.clone()).unwrap();
            assert_eq!(json!(read), rule, "the store keeps its form");
            for (claims, expected) in [(fitting, true), (others, false)] {
                for claim in claims.as_array().unwrap() {
                    assert_eq!(read.fits(claim), expected, "{rule} {claim}");
                    assert_eq!(read.fits(&json!([claim])), expected && !claim.is_null(), "{rule} [{claim}]");
                }
            }
        }
        let written = |rule: Value| serde_json::from_value::<ClaimRule>(rule).unwrap().written();
        assert_eq!(written(json!("65")), json!(["65", 65]), "it goes on with both");
        assert_eq!(written(json!("prod*")), json!("prod*"));
        assert_eq!(written(json!([65])), json!(65));
    }
}
