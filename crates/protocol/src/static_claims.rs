//! Claims that every access token of a client or a tenant contains.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// Claims in addition to those of the grant. If `serde_json` or PostgreSQL would rewrite a number,
/// it is held as `{ "number": "1e3" }`, so that stores keep its characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StaticClaims(pub Map<String, Value>);

/// The member that holds the characters of a number.
const NUMBER: &str = "number";

/// Serializes a value as it appears in a token.
struct ClaimValue<'v>(&'v Value);

impl Serialize for ClaimValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).map_err(serde::ser::Error::custom);
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(ClaimValue)),
            value => match StaticClaims::characters(value) {
                Some(text) => raw(text)?.serialize(serializer),
                None => value.serialize(serializer),
            },
        }
    }
}

impl StaticClaims {
    /// Bytes of JSON. The limit is small, because every token contains the claims.
    pub const LONGEST: usize = 1_024;

    /// Allows a string, a number, a boolean, or a list of these.
    #[must_use]
    pub fn allows(value: &Value) -> bool {
        let is_plain = |value: &Value| {
            matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
                || Self::characters(value).is_some()
        };
        is_plain(value) || matches!(value, Value::Array(items) if items.iter().all(is_plain))
    }

    /// The number with exactly these characters in JSON (RFC 8259 §6). `None` if the text is not a
    /// JSON number.
    #[must_use]
    pub fn number(text: &str) -> Option<Value> {
        // `RawValue` checks the grammar without converting the number.
        let read = || serde_json::from_str::<&RawValue>(text).ok().filter(|read| read.get() == text);
        text.strip_prefix('-')
            .unwrap_or(text)
            .starts_with(|first: char| first.is_ascii_digit())
            .then(read)??;
        let is_kept = !text.starts_with("-0") && !text.contains(['e', 'E']);
        let kept = serde_json::from_str::<Value>(text)
            .ok()
            .filter(|value| serde_json::to_string(value).is_ok_and(|written| written == text));
        Some(kept.filter(|_| is_kept).unwrap_or_else(|| json!({ NUMBER: text })))
    }

    /// The characters of a number that is held as `{ "number": … }`.
    #[must_use]
    pub fn characters(value: &Value) -> Option<&str> {
        let members = value.as_object().filter(|members| members.len() == 1)?;
        members.get(NUMBER)?.as_str().filter(|text| Self::number(text).is_some())
    }

    /// Reads a claim of a token and keeps the characters of its numbers.
    #[must_use]
    pub fn value(json: &RawValue) -> Option<Value> {
        if let Some(number) = Self::number(json.get()) {
            return Some(number);
        }
        match serde_json::from_str::<Vec<&RawValue>>(json.get()) {
            Ok(items) => items.into_iter().map(Self::value).collect(),
            Err(_) => serde_json::from_str(json.get()).ok(),
        }
    }

    /// Writes the claims as members of a token's payload.
    pub fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::write_members(&self.0, serializer)
    }

    pub fn write_members<S: Serializer>(
        members: &Map<String, Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(members.iter().map(|(name, value)| (name, ClaimValue(value))))
    }

    /// Bytes of the claims as JSON.
    #[must_use]
    pub fn length(&self) -> usize {
        let mut text = Vec::new();
        let written = self.write(&mut serde_json::Serializer::new(&mut text));
        written.map_or(usize::MAX, |()| text.len())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The claims of both. `own` wins if both have a claim.
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
    use super::*;

    // Regression: `1e3` was signed as `1000.0`, and 30 digits as `1e29`.
    #[test]
    fn numbers_keep_their_exact_text() {
        let digits = "123456789012345678901234567890";
        for text in ["0", "-7", "1.0", "2.50", "1e3", "1E+3", "-0", "-0.0", "18446744073709551616", digits] {
            let value = StaticClaims::number(text).expect(text);
            // The claims survive a round trip through JSON. PostgreSQL would convert plain numbers.
            let stored: Value = serde_json::from_str(&value.to_string()).unwrap();
            let claims = StaticClaims(Map::from_iter([("n".to_owned(), json!([stored]))]));
            let mut token = Vec::new();
            claims.write(&mut serde_json::Serializer::new(&mut token)).unwrap();
            let token = String::from_utf8(token).unwrap();
            assert_eq!(token, format!(r#"{{"n":[{text}]}}"#));
            assert_eq!(claims.length(), token.len());
            assert!(StaticClaims::allows(&claims.0["n"]));
            let raw = RawValue::from_string(format!("[{text}]")).unwrap();
            assert_eq!(StaticClaims::value(&raw).as_ref(), Some(&claims.0["n"]));
        }
        for text in [
            "", "-", "01", "+1", ".5", "1.", "1_0", "0x10", "0o7", "1e", " 1", "1 ", "1,2", "NaN", ".inf",
            "true",
        ] {
            assert_eq!(StaticClaims::number(text), None, "{text}");
            assert!(!StaticClaims::allows(&json!({ "number": text })));
        }
    }

    #[test]
    fn client_value_overrides_tenant_claim() {
        let of = |value: Value| serde_json::from_value::<StaticClaims>(value).unwrap();
        let (tenant, client) = (of(json!({ "plan": "pro", "seats": 3 })), of(json!({ "plan": "free" })));
        let none = StaticClaims::default();
        assert_eq!(json!(tenant.with(&client)), json!({ "plan": "free", "seats": 3 }));
        assert!(matches!(tenant.with(&none), Cow::Borrowed(found) if *found == tenant));
        assert!(matches!(none.with(&client), Cow::Borrowed(found) if *found == client));
        assert!(none.with(&none).is_empty());
    }
}
