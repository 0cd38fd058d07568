//! What the contract of config.yaml says about a path: whether it exists, and whether its value may be a
//! secret. A message only repeats text that is in its correct place, so text after a forgotten, misspelled or
//! misplaced key is hidden.
//!
//! A list of secret keys would not suffice: often the fault is that a key is misspelt or misplaced, or that
//! the file is another one. So a message shows less than it could; file, line, column and key lead to the
//! rest. Names of variables and files with a secret count as secrets, because people write the secret itself
//! there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use administration::documents::nearest;
use administration::kinds::rows_of;
use serde_json::Value;

use super::KeyPath;

/// Keys that other servers use for addresses, which are in `listeners` here.
pub(crate) const LISTENER_WORDS: [&str; 6] = ["port", "host", "address", "bind", "listen", "listener"];

/// The sections of the server in which every value may be a secret: connections, places of keys,
/// administrators.
const SECRET_SECTIONS: [&str; 4] = ["storage", "cache", "keys", "admin"];
/// Every value below these keys is hidden, wherever they are. It is a secret or the place of one, and people
/// often write the secret there by mistake.
const SECRET_KEYS: [&str; 8] = [
    "client_secret",
    "client_secrets",
    "password",
    "first_key",
    "sealing_key",
    "former_sealing_keys",
    "value",
    "hash",
];

/// The sections without secrets, whatever the key.
const OPEN_SECTIONS: [&str; 3] = ["server", "limits", "reconcile"];

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(&gateway::settings_schema()).expect("the committed schema is JSON")
});
/// Every key of the contract, and whether it contains secrets in one of its places.
static KEYS: LazyLock<BTreeMap<&'static str, bool>> = LazyLock::new(|| {
    let mut keys = BTreeMap::new();
    collect(&mut KeyPath::new(), &mut keys);
    keys
});

#[derive(Clone, Copy)]
pub(crate) enum NumberPlace {
    Integer,
    Span,
}

/// Whether a number is expected at this path.
pub(super) fn number_place(path: &[String]) -> Option<NumberPlace> {
    let found = at(path);
    let is_type = |schema: &Value, name: &str| match &schema["type"] {
        Value::Array(names) => names.iter().any(|named| named == name),
        named => named == name,
    };
    if found.iter().any(|schema| std::ptr::eq(*schema, &raw const SCHEMA["$defs"]["Lifetime"])) {
        Some(NumberPlace::Span)
    } else {
        let is_integer = found.iter().any(|schema| is_type(schema, "integer"));
        (is_integer && !found.iter().any(|schema| is_type(schema, "string"))).then_some(NumberPlace::Integer)
    }
}

/// Whether a message may repeat a scalar at this path. A scalar instead of a mapping may be a secret.
pub(super) fn shows_value(path: &[String]) -> bool {
    let found = at(path);
    let is_mapping = |schema: &&Value| {
        schema.get("properties").is_some() || schema.get("additionalProperties").is_some_and(Value::is_object)
    };
    !is_secret(path) && !found.is_empty() && !found.iter().any(is_mapping)
}

/// Whether this unknown key is a misspelled one whose value a message may repeat.
pub(super) fn shows_value_of_misspelled(path: &[String]) -> bool {
    let Some((key, parent)) = path.split_last() else { return false };
    let meant = nearest(key, members(parent));
    !has_key(path)
        && nearest(key, SECRET_KEYS).is_none()
        && meant.is_some_and(|meant| shows_value(&[parent, &[meant.to_owned()]].concat()))
}

/// Whether the value at this path is the name of a variable or file that contains a secret.
pub(super) fn names_source(path: &[String]) -> bool {
    path.last().is_some_and(|key| matches!(key.as_str(), "env" | "file")) && !at(path).is_empty()
}

/// Whether a small number at this unknown path is not a secret: the path is in a section without secrets, or
/// the key resembles the content of `listeners`.
pub(super) fn shows_small_number(path: &[String]) -> bool {
    let [first, rest @ ..] = path else { return false };
    let is_open =
        if rest.is_empty() { LISTENER_WORDS.contains(&&**first) } else { OPEN_SECTIONS.contains(&&**first) };
    is_open && !path.iter().any(|segment| nearest(segment, SECRET_KEYS).is_some())
}

/// Whether this path can contain values that are not secrets. At the root anything is possible.
pub(super) fn is_open(path: &[String]) -> bool {
    !path.is_empty() && !is_secret(path) && !at(path).is_empty()
}

/// Whether a message may repeat the last key of this path: it is in its place, it is a key of another place
/// or resembles one, or it looks like a word.
pub(super) fn shows_key(path: &[String]) -> bool {
    is_meant_as_key(path) || !is_secret(path) && path.last().is_some_and(|key| is_word(key))
}

/// Like [`shows_key`], but for text that may only resemble a key.
pub(super) fn is_meant_as_key(path: &[String]) -> bool {
    let Some(key) = path.last() else { return true };
    is_index(key) || !at(path).is_empty() || nearest(key, KEYS.keys().copied()).is_some()
}

/// Whether a text begins with a key of the contract and a colon, and this key never contains secrets.
pub(super) fn begins_with_open_key(text: &str) -> bool {
    let item = text.trim_start_matches([' ', '-']);
    item.split_once(':').is_some_and(|(key, _)| KEYS.get(key) == Some(&false))
}

/// Whether the contract defines this key. Otherwise the file may choose the name.
pub(super) fn has_key(path: &[String]) -> bool {
    let Some((key, parent)) = path.split_last() else { return true };
    is_index(key) || names(at(parent)).any(|name| name == key)
}

pub(crate) fn members(path: &[String]) -> impl Iterator<Item = &'static str> {
    names(at(path))
}

/// The noun for the keys at this path, if the file chooses them.
pub(crate) fn names_in(path: &[String]) -> Option<&'static str> {
    match path.last()?.as_str() {
        "users" => Some("administrator"),
        key => rows_of(key),
    }
}

/// A key that every item of the list at this path has, if the items are mappings.
pub(crate) fn item_key(path: &[String]) -> Option<&'static str> {
    let mut items = path.to_vec();
    items.push("[0]".to_owned());
    let required = |schema: &'static Value| schema.get("required")?.get(0)?.as_str();
    at(&items).into_iter().find_map(required)
}

/// Whether everything at and below this path may be a secret.
pub(super) fn is_secret(path: &[String]) -> bool {
    let in_section = path.first().is_some_and(|first| SECRET_SECTIONS.contains(&first.as_str()));
    in_section || path.iter().any(|segment| SECRET_KEYS.contains(&segment.as_str()))
}

/// The parts of the schema for a value at this path. A file is config.yaml, one tenant or a JWK set.
fn at(path: &[String]) -> Vec<&'static Value> {
    let definitions = &SCHEMA["$defs"];
    let mut found = Vec::new();
    for root in [&*SCHEMA, &definitions["TenantSettings"], &definitions["Jwks"]] {
        unfold(root, &mut found);
    }
    path.iter().fold(found, |found, segment| {
        let mut next = Vec::new();
        found.iter().filter_map(|schema| below(schema, segment)).for_each(|schema| unfold(schema, &mut next));
        next
    })
}

fn below(schema: &'static Value, segment: &str) -> Option<&'static Value> {
    if is_index(segment) {
        return schema.get("items");
    }
    let named = schema.get("properties").and_then(|properties| properties.get(segment));
    named.or_else(|| schema.get("additionalProperties").filter(|free| free.is_object()))
}

/// Adds the schemas to which it refers.
fn unfold(schema: &'static Value, found: &mut Vec<&'static Value>) {
    found.push(schema);
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
    if let Some(name) = name {
        unfold(&SCHEMA["$defs"][name], found);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        let parts = schema.get(key).and_then(Value::as_array);
        parts.into_iter().flatten().for_each(|part| unfold(part, found));
    }
}

fn names(schemas: impl IntoIterator<Item = &'static Value>) -> impl Iterator<Item = &'static str> {
    let properties = schemas.into_iter().filter_map(|schema| schema.get("properties")?.as_object());
    properties.flat_map(|properties| properties.keys().map(String::as_str))
}

/// Collects all keys below this path.
fn collect(path: &mut KeyPath, keys: &mut BTreeMap<&'static str, bool>) {
    let found = at(path);
    let names: BTreeSet<_> = names(found.iter().copied()).collect();
    for name in names {
        path.push(name.to_owned());
        *keys.entry(name).or_default() |= is_secret(path);
        collect(path, keys);
        path.pop();
    }
    // A name that the file chooses, or an item of a list.
    for segment in ["any", "[0]"] {
        if found.iter().any(|schema| below(schema, segment).is_some()) {
            path.push(segment.to_owned());
            collect(path, keys);
            path.pop();
        }
    }
}

fn is_index(segment: &str) -> bool {
    let digits = segment.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_word(key: &str) -> bool {
    (1..=32).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(keys: &str) -> Vec<String> {
        keys.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn value_is_shown_only_at_its_proper_place() {
        for (keys, expected) in [
            ("server public_url", true),
            ("tenants acme access_token lifetime", true),
            ("access_token lifetime", true),
            ("tenants acme clients web scopes [0]", true),
            ("tenants acme clients web scopes lifetime", false),
            ("tenants acme clients web jwks keys [0] n", true),
            ("tenants acme clients web client_secret value", false),
            ("tenants acme clients web client_secret env", false),
            ("tenants acme clients web client_secert", false),
            ("tenants acme signing first_key file", false),
            ("storage url", false),
            ("cache l1_lifetime", false),
            ("keys sealing_key file", false),
            ("admin applications [0]", false),
            ("vault address", false),
            ("tenants acme clients web", false),
            ("tenants acme issuer_aliases", true),
            ("limits banana", false),
            ("", false),
        ] {
            assert_eq!(shows_value(&path(keys)), expected, "{keys}");
        }
    }

    #[test]
    fn value_of_misspelled_key_is_shown_unless_secret() {
        for (keys, expected) in [
            ("server public_ulr", true),
            ("tenants acme clients web nmae", true),
            ("tenants acme clients web scope", true),
            ("tenants acme clients web client_secert", false),
            ("tenants acme clients web client_secret vale", false),
            ("tenants acme clients web banana", false),
            ("storage ulr", false),
            ("server public_url", false),
            ("tenants acme clinets", false),
            ("tenants acme clients webb", false),
            ("", false),
        ] {
            assert_eq!(shows_value_of_misspelled(&path(keys)), expected, "{keys}");
        }
    }

    #[test]
    fn small_number_is_shown_where_no_secret_belongs() {
        for (keys, expected) in [
            ("server port", true),
            ("limits banana", true),
            ("port", true),
            ("pin", false),
            ("server passwort", false),
            ("tenants acme clients web", false),
            ("tenants acme clients web client_secert", false),
            ("", false),
        ] {
            assert_eq!(shows_small_number(&path(keys)), expected, "{keys}");
        }
    }

    #[test]
    fn line_beginning_with_an_open_key_is_recognised() {
        for (line, expected) in [
            ("  scopes: b", true),
            ("- audiences: [a", true),
            ("  address: b", false),
            ("  expires: b", false),
            ("  permissions: [b", false),
            ("  token: b", false),
            ("scopes", false),
            ("  hunter: b", false),
        ] {
            assert_eq!(begins_with_open_key(line), expected, "{line}");
        }
    }

    #[test]
    fn key_is_shown_if_known_or_a_word() {
        for (keys, expected) in [
            ("limits failed_attempts", true),
            ("limits banana", true),
            ("limits Banana7", false),
            ("tenants Acme-7 clients a:b", true),
            ("admin users ann password", true),
            ("tenants acme clients web client_secret vale", true),
            ("tenants acme clients web client_secret hunter", false),
            ("tenants acme clients web [12]", true),
            ("root:$6$x$y:19000:0", false),
        ] {
            assert_eq!(shows_key(&path(keys)), expected, "{keys}");
        }
    }
}
