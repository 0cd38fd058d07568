//! The two spellings of members: snake case, and the camel case of the current generation. Both are
//! accepted. A response uses the spelling of its request.

use std::io::{self, Write};

use administration::documents::Wiped;
use protocol::steps;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `client_id`.
    #[default]
    Snake,
    /// `clientId`.
    Camel,
}

/// The members inside these belong to the caller and keep their spelling.
const FREE: [&str; 2] = ["metadata", "scope_claims"];

impl Spelling {
    /// `name` is in snake case.
    pub(crate) fn of(self, name: &str) -> String {
        match self {
            Self::Snake => name.to_owned(),
            Self::Camel => camel(name),
        }
    }

    /// Serializes a document whose members are in snake case.
    pub(crate) fn to_json(self, document: &impl Serialize) -> serde_json::Result<Vec<u8>> {
        let mut json = Vec::with_capacity(1024);
        match self {
            Self::Snake => serde_json::to_writer(&mut json, document)?,
            Self::Camel => {
                document.serialize(&mut Serializer::with_formatter(&mut json, CamelCase::default()))?;
            }
        }
        Ok(json)
    }
}

/// Converts member names to camel case.
#[derive(Default)]
struct CamelCase {
    is_name: bool,
    /// Whether the last name is in [`FREE`].
    was_free: bool,
    /// The nesting depth inside the value of a free member.
    free: usize,
}

impl Formatter for CamelCase {
    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.is_name = true;
        CompactFormatter.begin_object_key(writer, first)
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        if !self.is_name || self.free > 0 {
            return writer.write_all(text.as_bytes());
        }
        self.was_free = is_free(text);
        writer.write_all(camel(text).as_bytes())
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_name = false;
        self.free += usize::from(std::mem::take(&mut self.was_free) || self.free > 0);
        CompactFormatter.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.free = self.free.saturating_sub(1);
        Ok(())
    }
}

/// Converts a value to snake case. Returns the spelling of the request, which is camel case if any
/// member is. `None` if a member occurs in both spellings.
pub(crate) fn normalised(mut value: Wiped) -> Option<(Wiped, Spelling)> {
    let mut found = FoundName::default();
    normalise(&mut value, &mut found);
    (!found.is_ambiguous).then_some((value, found.spelling))
}

#[derive(Default)]
struct FoundName {
    spelling: Spelling,
    is_ambiguous: bool,
}

fn normalise(value: &mut Value, found: &mut FoundName) {
    match value {
        Value::Object(members) => {
            for (name, mut value) in std::mem::take(members) {
                steps::note(name.len());
                steps::note_lookup(members.len());
                let snake = snake(&name);
                if snake != name {
                    found.spelling = Spelling::Camel;
                }
                if !is_free(&snake) {
                    normalise(&mut value, found);
                }
                let other = members.insert(snake, value).map(Wiped::new);
                found.is_ambiguous |= other.is_some();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| normalise(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_free(name: &str) -> bool {
    FREE.contains(&name)
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(value: Value) -> Option<(Value, Spelling)> {
        normalised(Wiped::new(value)).map(|(value, spelling)| (value.take(), spelling))
    }

    #[test]
    fn both_spellings_normalize_to_one_document() {
        let snake = json!({
            "auth_flow_id": "a",
            "inbound_auth_config": [{ "config": { "token": { "access_token": { "validity_period": 1 } } } }],
            "metadata": { "costCentre": { "innerKey": 1 } },
        });
        let camel = json!({
            "authFlowId": "a",
            "inboundAuthConfig": [{ "config": { "token": { "accessToken": { "validityPeriod": 1 } } } }],
            "metadata": { "costCentre": { "innerKey": 1 } },
        });
        assert_eq!(found(snake.clone()), Some((snake.clone(), Spelling::Snake)));
        assert_eq!(found(camel.clone()), Some((snake.clone(), Spelling::Camel)));
        for (spelling, expected) in [(Spelling::Camel, camel), (Spelling::Snake, snake.clone())] {
            let written = spelling.to_json(&snake).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), expected);
        }
    }

    #[test]
    fn a_member_in_both_spellings_is_ambiguous() {
        assert_eq!(found(json!({ "client_id": "a", "clientId": "b" })), None);
    }
}
