//! Claims that all access tokens of a client or a tenant have.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Claims by their names, beside those that a grant decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StaticClaims(pub Map<String, Value>);

impl StaticClaims {
    /// The most bytes of these claims as JSON, because each token has them.
    pub const LONGEST: usize = 1_024;

    /// Whether a claim may have this value: a text, a number, a truth value, or a list of them.
    #[must_use]
    pub fn allows(value: &Value) -> bool {
        let is_plain = |value: &Value| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
        is_plain(value) || matches!(value, Value::Array(items) if items.iter().all(is_plain))
    }

    /// How many bytes they are as JSON.
    #[must_use]
    pub fn length(&self) -> usize {
        serde_json::to_string(self).map_or(usize::MAX, |text| text.len())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and those of `own`, whose values count where both have a claim.
    #[must_use]
    pub fn with<'c>(&'c self, own: &'c Self) -> Cow<'c, Self> {
        match (self.is_empty(), own.is_empty()) {
            (_, true) => Cow::Borrowed(self),
            (true, false) => Cow::Borrowed(own),
            (false, false) => {
                let own = own.0.iter().map(|(name, value)| (name.clone(), value.clone()));
                Cow::Owned(Self(self.0.clone().into_iter().chain(own).collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_own_value_counts_where_both_have_a_claim() {
        let of = |value: Value| serde_json::from_value::<StaticClaims>(value).unwrap();
        let (tenant, client) = (of(json!({ "plan": "pro", "seats": 3 })), of(json!({ "plan": "free" })));
        let none = StaticClaims::default();
        assert_eq!(json!(tenant.with(&client)), json!({ "plan": "free", "seats": 3 }));
        assert!(matches!(tenant.with(&none), Cow::Borrowed(found) if *found == tenant));
        assert!(matches!(none.with(&client), Cow::Borrowed(found) if *found == client));
        assert!(none.with(&none).is_empty());
    }
}
