//! Reads JSON of Keycloak as Keycloak does: null means absent, and texts, numbers and booleans are converted
//! into each other. Unreadable members are removed. They are reported by path, without their value.

use administration::documents::Wiped;
use serde_json::{Map, Value};

/// The kind of value that Keycloak expects.
#[derive(Clone, Copy)]
pub(super) enum ExportShape {
    Text,
    /// A whole number of 32 bits.
    Number,
    /// A boolean. If it cannot be read, it has this value, which allows less.
    Switch(bool),
    /// A list. Unreadable items are removed.
    List(&'static Self),
    /// An object with any names.
    Map(&'static Self),
    /// An object with these members. Others stay unchanged.
    Object(ExportMembers),
    /// Like `Object`, but removed if its first member is missing.
    Named(ExportMembers),
}

type ExportMembers = &'static [(&'static str, ExportShape)];

use ExportShape::{List, Map as Free, Named, Number, Object, Switch, Text};

/// The JSON in the text `credentialData`.
pub(super) const PARAMETERS: ExportShape =
    Object(&[("hashIterations", Number), ("algorithm", Text), ("additionalParameters", Free(&List(&Text)))]);
/// The JSON in the text `secretData`.
pub(super) const DIGEST: ExportShape = Object(&[("value", Text), ("salt", Text)]);

impl ExportShape {
    /// Converts the value to this shape, and adds the paths of removed parts to `unread`. The value becomes
    /// null if it cannot be read.
    pub(super) fn fit(self, value: &mut Value, path: &str, unread: &mut Vec<String>) {
        if value.is_null() {
            return;
        }
        let is_read = match (self, &mut *value) {
            (Text, Value::String(_)) => true,
            (Text, Value::Number(_) | Value::Bool(_)) => {
                *value = value.to_string().into();
                true
            }
            (Number, found) => number(found).map(|number| *found = number).is_some(),
            (Switch(_), found) => switch(found).map(|switch| *found = switch).is_some(),
            (List(item), Value::Array(items)) => {
                for (index, found) in items.iter_mut().enumerate() {
                    item.fit(found, &format!("{path}[{index}]"), unread);
                }
                items.retain(|item| !item.is_null());
                true
            }
            (Free(shape), Value::Object(members)) => {
                let names: Vec<String> = members.keys().cloned().collect();
                names.iter().for_each(|name| fit_member(members, name, *shape, path, unread));
                true
            }
            (Object(shapes) | Named(shapes), Value::Object(members)) => {
                let before = unread.len();
                shapes.iter().for_each(|(name, shape)| fit_member(members, name, *shape, path, unread));
                if let Named([(name, _), ..]) = self
                    && !members.contains_key(*name)
                {
                    unread.truncate(before);
                    unread.push(joined(path, name));
                    drop(Wiped::new(value.take()));
                }
                true
            }
            _ => false,
        };
        if !is_read {
            unread.push(path.to_owned());
            drop(Wiped::new(value.take()));
            if let Switch(safe) = self {
                *value = safe.into();
            }
        }
    }
}

/// Converts a member, and removes it if it becomes null.
fn fit_member(
    members: &mut Map<String, Value>,
    name: &str,
    shape: ExportShape,
    path: &str,
    unread: &mut Vec<String>,
) {
    let Some(value) = members.get_mut(name) else { return };
    shape.fit(value, &joined(path, name), unread);
    if value.is_null() {
        members.remove(name);
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Reads an integer as Jackson does: also from a text of digits, and without its fraction. An empty text is
/// null.
fn number(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) if text.trim().is_empty() => Some(Value::Null),
        Value::String(text) => text.trim().parse::<i32>().ok().map(Value::from),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => i32::try_from(whole).ok().map(Value::from),
            None => format!("{:.0}", number.as_f64()?.trunc()).parse::<i32>().ok().map(Value::from),
        },
        _ => None,
    }
}

/// Reads a boolean as Jackson does: also from a text, and from a whole number, of which only 0 is false.
fn switch(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::String(text) => match text.trim() {
            "" => Some(Value::Null),
            "true" | "True" | "TRUE" => Some(true.into()),
            "false" | "False" | "FALSE" => Some(false.into()),
            _ => None,
        },
        Value::Number(number) if !number.is_f64() => Some((number.as_i64() != Some(0)).into()),
        _ => None,
    }
}

#[cfg(test)]
pub(super) fn example(shape: ExportShape) -> Value {
    match shape {
        Text => "a".into(),
        Number => 5.into(),
        Switch(_) => true.into(),
        List(item) => Value::Array(vec![example(*item)]),
        Free(value) => Map::from_iter([("name".to_owned(), example(*value))]).into(),
        Object(shapes) | Named(shapes) => {
            let member = |(name, shape): &(&str, ExportShape)| ((*name).to_owned(), example(*shape));
            shapes.iter().map(member).collect::<Map<_, _>>().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::realm::Realm;
    use super::*;

    #[test]
    fn values_are_converted_as_keycloak_converts_them() {
        for (shape, value, expected) in [
            (Number, json!("300"), Some(json!(300))),
            (Number, json!(300.9), Some(json!(300))),
            (Number, json!(""), Some(Value::Null)),
            (Number, json!("many"), None),
            (Number, json!(true), None),
            (Number, json!(4_294_967_296_i64), None),
            (Switch(false), json!("true"), Some(json!(true))),
            (Switch(true), json!("False"), Some(json!(false))),
            (Switch(false), json!(1), Some(json!(true))),
            (Switch(true), json!(0), Some(json!(false))),
            (Text, json!(5), Some(json!("5"))),
            (Text, json!(true), Some(json!("true"))),
            (Text, json!({}), None),
            (List(&Text), json!(["a", null, 5]), Some(json!(["a", "5"]))),
            (List(&Text), json!("a"), None),
        ] {
            let (mut read, mut unread) = (value.clone(), Vec::new());
            shape.fit(&mut read, "at", &mut unread);
            match expected {
                Some(expected) => assert_eq!((read, unread), (expected, vec![]), "{value}"),
                None => assert_eq!(unread, ["at"], "{value}"),
            }
        }
    }

    #[test]
    fn unreadable_members_are_named_and_grant_nothing() {
        let realm = json!({ "realm": "acme", "clients": [
            { "clientId": "web", "enabled": [], "consentRequired": "maybe", "redirectUris": ["https://a.example", {}] },
            5, { "clientId": {}, "name": [] },
        ], "users": [{ "username": "ada", "email": {} }] });
        let realm = Realm::from_json(Wiped::new(realm)).unwrap();
        let paths = [
            "clients[0].enabled",
            "clients[0].consentRequired",
            "clients[0].redirectUris[1]",
            "clients[1]",
            "clients[2].clientId",
            "users[0].email",
        ];
        assert_eq!(realm.unread, paths);
        assert_eq!(realm.clients.len(), 1);
        assert_eq!((realm.clients[0].enabled, realm.clients[0].consent_required), (Some(false), true));
        assert_eq!(realm.users[0].username.as_deref(), Some("ada"));
    }
}
