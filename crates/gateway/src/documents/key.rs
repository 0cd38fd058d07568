//! What signing keys are asked to do, read out of a body.

use administration::{EditError, FieldError, ImportSettings, MOST_FIELD_ERRORS, Pointer, Wiped, nearest};
use schemars::JsonSchema;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::read::parse;

/// How keys are to be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub(crate) struct KeyRotation {
    /// The present keys may be in wrong hands: they are gone at once.
    #[schemars(default)]
    pub(crate) emergency: bool,
    /// What an emergency breaks is known; needed there.
    #[schemars(default)]
    pub(crate) confirm: bool,
}

/// `{"emergency"?, "confirm"?}`.
pub(crate) fn key_rotation(body: &[u8]) -> Result<KeyRotation, EditError> {
    let mut members = Members::of(parse(body)?, &["emergency", "confirm"])?;
    let rotation = KeyRotation { emergency: members.flag("emergency"), confirm: members.flag("confirm") };
    members.finish()?;
    Ok(rotation)
}

/// `{"key": …, "algorithm"?}`.
pub(crate) fn key_import(body: &[u8]) -> Result<ImportSettings, EditError> {
    let mut members = Members::of(parse(body)?, &["key", "algorithm"])?;
    let (mut key, algorithm) = (members.text("key").map(Zeroizing::new), members.text("algorithm"));
    if key.is_none() && members.faults.iter().all(|fault| fault.pointer != "/key") {
        members.fault("key", "is needed: a private key in PEM, or a JWK as a text");
    }
    members.finish()?;
    Ok(ImportSettings {
        key: key.as_mut().map(|key| std::mem::take(&mut **key)).unwrap_or_default(),
        algorithm,
    })
}

/// The members of an object, and what is wrong with those that were asked for. Null is the same as leaving one out.
struct Members {
    members: Map<String, Value>,
    faults: Vec<FieldError>,
}

impl Members {
    /// Of a document that may have these.
    fn of(document: Value, known: &[&str]) -> Result<Self, EditError> {
        let Value::Object(members) = document else {
            return Err(EditError::Invalid(vec![FieldError::at("", "write an object")]));
        };
        let unknown = members.keys().filter(|name| !known.contains(&name.as_str()));
        let faults = unknown.map(|name| {
            let meant = nearest(name, known.iter().copied());
            let hint = meant.map_or_else(String::new, |meant| format!("; was `{meant}` meant?"));
            FieldError::at(at(name), format!("there is no such member here{hint}"))
        });
        Ok(Self { faults: faults.take(MOST_FIELD_ERRORS).collect(), members })
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.members.remove(name)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => {
                drop(Wiped::new(other));
                self.fault(name, "write a text");
                None
            }
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.members.remove(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => value,
            Some(_) => {
                self.fault(name, "write true or false");
                false
            }
        }
    }

    fn fault(&mut self, name: &str, detail: &str) {
        self.faults.push(FieldError::at(at(name), detail));
    }

    fn finish(mut self) -> Result<(), EditError> {
        let faults = std::mem::take(&mut self.faults);
        if faults.is_empty() { Ok(()) } else { Err(EditError::Invalid(faults)) }
    }
}

fn at(name: &str) -> String {
    Pointer::Root.member(name).to_string()
}

impl Drop for Members {
    fn drop(&mut self) {
        drop(Wiped::new(Value::Object(std::mem::take(&mut self.members))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_orderly_unless_it_says_otherwise() {
        for (body, emergency, confirm) in [
            ("", false, false),
            ("{}", false, false),
            (r#"{"emergency":null,"confirm":null}"#, false, false),
            (r#"{"emergency":true}"#, true, false),
            (r#"{"confirm":true}"#, false, true),
            (r#"{"emergency":true,"confirm":true}"#, true, true),
        ] {
            assert_eq!(key_rotation(body.as_bytes()).unwrap(), KeyRotation { emergency, confirm }, "{body}");
        }
    }

    #[test]
    fn an_import_is_a_key_and_what_it_is_for() {
        let read = key_import(br#"{"key":"PEM","algorithm":"ES256"}"#).unwrap();
        assert_eq!((read.key.as_str(), read.algorithm.as_deref()), ("PEM", Some("ES256")));
        let read = key_import(br#"{"key":"PEM","algorithm":null}"#).unwrap();
        assert_eq!((read.key.as_str(), read.algorithm), ("PEM", None));
    }

    #[test]
    fn every_error_is_reported_and_repeats_nothing_of_the_key() {
        let needed = "/key: is needed: a private key in PEM, or a JWK as a text";
        for (body, expected) in [
            ("", needed),
            (r#"{"key":null}"#, needed),
            (r#"{"key":{"kty":"EC","d":"hunter2"}}"#, "/key: write a text"),
            (r#"{"key":"a","key":"hunter2"}"#, "/key: is there more than once"),
            (
                r#"{"kye":"hunter2","algorithm":7}"#,
                "/kye: there is no such member here; was `key` meant?; \
              /algorithm: write a text; /key: is needed: a private key in PEM, or a JWK as a text",
            ),
            (r#"["hunter2"]"#, ": write an object"),
        ] {
            assert_eq!(key_import(body.as_bytes()).unwrap_err().to_string(), expected, "{body}");
        }
        for body in ["[]", "7", r#"{"emergency":"yes"}"#, r#"{"emergency":1}"#, r#"{"emergncy":true}"#] {
            assert!(key_rotation(body.as_bytes()).is_err(), "{body}");
        }
    }
}
