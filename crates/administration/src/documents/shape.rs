//! The shape of a document: its members and the kind of each value.

use std::collections::BTreeMap;

use protocol::steps;
use serde_json::Value;
use values::{Lifetime, Rate, Timestamp};

use super::Pointer;
use super::committed_shapes::Shaped;
use super::field_errors::BoundedErrors;
use super::nearest::suggested;
use crate::edit::FieldError;

#[derive(Debug, PartialEq, Eq)]
pub enum Shape {
    Any,
    Text,
    /// An instant of RFC 3339.
    Instant,
    /// A duration, in seconds or as text.
    Span,
    Rate,
    /// A whole number in this range.
    Number {
        least: u64,
        most: u64,
    },
    Switch,
    /// A list of values of this shape.
    List(Box<Self>),
    /// A list of names, or an object with a text for each name.
    Described,
    Object {
        members: BTreeMap<String, Self>,
        /// The shape of all other members. `None` if no others are allowed.
        others: Option<Box<Self>>,
    },
}

impl Shape {
    /// The shape of a type's documents. Members that only files or only answers have are unknown.
    #[must_use]
    pub fn new<T: Shaped>() -> Self {
        T::shape()
    }

    /// The shape of a member, or `None` if there is no such member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object { members, others } => members.get(name).or(others.as_deref()),
            Self::Described => Some(&Self::Text),
            _ => None,
        }
    }

    /// Removes nulls from the document, because null means the same as an absent member. Does not check
    /// whether a member with null is known.
    pub(super) fn without_nulls(&self, document: Value) -> Value {
        let Value::Object(members) = document else { return document };
        let keeps_null = matches!(self, Self::Described);
        let left = members.into_iter().filter(|(_, value)| keeps_null || !value.is_null());
        left.map(|(name, value)| match self.member(&name) {
            Some(shape) => (name, shape.without_nulls(value)),
            None => (name, value),
        })
        .collect()
    }

    /// Checks whether a document has this shape.
    ///
    /// # Errors
    /// All errors of the document's shape.
    pub fn check(&self, document: &Value) -> Result<(), Vec<FieldError>> {
        let mut errors = BoundedErrors::default();
        self.check_value(&mut errors, document, &Pointer::Root);
        errors.into_result()
    }

    fn check_value(&self, errors: &mut BoundedErrors, value: &Value, at: &Pointer<'_>) {
        steps::note(1);
        match (self, value) {
            (Self::Any, _) | (Self::Text, Value::String(_)) | (Self::Switch, Value::Bool(_)) => {}
            (Self::Number { least, most }, value)
                if value.as_u64().is_some_and(|number| (*least..=*most).contains(&number)) => {}
            (Self::Number { most, .. }, value) if value.as_u64().is_some_and(|number| number > *most) => {
                errors.add(at, format!("must be a whole number up to {most}"));
            }
            (Self::Rate, value) if serde_json::from_value::<Rate>(value.clone()).is_ok() => {}
            (Self::Span, value) if serde_json::from_value::<Lifetime>(value.clone()).is_ok() => {}
            (Self::Instant, Value::String(text)) => {
                if Timestamp::parse_rfc3339(text).is_none() {
                    errors.add(at, "must be an instant such as 2027-01-31T12:00:00Z, or null");
                }
            }
            (Self::List(items), Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    if errors.is_full() {
                        return;
                    }
                    items.check_value(errors, value, &Pointer::Item(at, index));
                }
            }
            (Self::Described, Value::Array(_)) => {
                Self::List(Box::new(Self::Text)).check_value(errors, value, at);
            }
            (Self::Described, Value::Object(_)) => {
                let others = Some(Box::new(Self::Text));
                Self::Object { members: BTreeMap::new(), others }.check_value(errors, value, at);
            }
            (Self::Object { members, .. }, Value::Object(values)) => {
                for (name, value) in values {
                    if errors.is_full() {
                        return;
                    }
                    let at = Pointer::Member(at, name);
                    match self.member(name) {
                        // As in a merge patch, null means the same as an absent member.
                        Some(_) if value.is_null() => {}
                        Some(shape) => shape.check_value(errors, value, &at),
                        None => {
                            let meant = suggested(name, members.keys().map(String::as_str));
                            let hint =
                                meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
                            errors.add(&at, format!("this member does not exist{hint}"));
                        }
                    }
                }
            }
            _ => errors.add(at, format!("must be {}", self.expected())),
        }
    }

    fn expected(&self) -> String {
        match self {
            Self::Object { .. } => "an object".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Described => "a list, or an object with a string for each name".to_owned(),
            Self::Number { least, .. } => format!("a whole number, {least} or more"),
            Self::Rate => "a number per s, min or h, such as 10000/min".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::Span => {
                format!("whole seconds, or a string such as 15m, 1h or 30d, up to {}", Lifetime::LONGEST)
            }
            Self::Text | Self::Instant | Self::Any => "a string".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{ImportSettings, NewSecretSettings, NewTenant, RotateSettings};

    fn described(shape: &Shape) -> String {
        match shape {
            Shape::List(items) => format!("[{}]", described(items)),
            Shape::Object { members, others } => {
                let members: Vec<_> =
                    members.iter().map(|(name, shape)| format!("{name}: {}", described(shape))).collect();
                let others = others.as_ref().map(|shape| format!("; {}", described(shape)));
                format!("{{{}{}}}", members.join(", "), others.unwrap_or_default())
            }
            Shape::Number { .. } => "Number".to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn shape_lists_members_and_their_types() {
        for (shape, expected) in [
            (Shape::new::<RotateSettings>(), "{expires_at: Instant, grace: Span, into: Text, name: Text}"),
            (Shape::new::<NewSecretSettings>(), "{expires_at: Instant, name: Text}"),
            (Shape::new::<ImportSettings>(), "{algorithm: Text, key: Text}"),
        ] {
            assert_eq!(described(&shape), expected);
        }
        let tenant = Shape::new::<NewTenant>();
        for (path, expected) in [
            ("id", "Text"),
            ("client/client_secret", "Text"),
            ("client/grant_types", "[Text]"),
            ("client/token", "{issuer: Text}"),
            ("issuer_aliases", "[Text]"),
            ("resource_servers", "{; {access_token: {format: Text}, clients: [Text], scopes: Described}}"),
            ("signing/rsa_bits", "Number"),
            ("signing/hold_activation", "Span"),
            ("stale_if_error", "Span"),
            ("strategies/oidc", "{enabled: Switch}"),
        ] {
            let found = path.split('/').try_fold(&tenant, |shape, name| shape.member(name));
            assert_eq!(found.map(described).as_deref(), Some(expected), "{path}");
        }
        assert!(tenant.member("clients").is_none(), "a member that only a file has");
        // A public key may have members that are not listed (RFC 7517 §4); static
        // claims have values of any type.
        assert_eq!(described(&tenant).matches("Any").count(), 5, "{}", described(&tenant));
        let jwks = tenant.member("client").unwrap().member("jwks").unwrap();
        assert_eq!(described(jwks).matches("Any").count(), 1);
    }
}
