//! The two spellings of members: snake case, and camel case as in the current generation. Both are read; an answer is spelled
//! as its request was.

use administration::Wiped;
use protocol::steps;
use serde_json::Value;

/// The spelling of members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `client_id`.
    #[default]
    Snake,
    /// `clientId`.
    Camel,
}

/// The values of these members belong to the caller: their members are not respelled.
const FREE: [&str; 2] = ["metadata", "scope_claims"];

impl Spelling {
    /// A member's name in this spelling; `name` has underscores.
    pub(crate) fn of(self, name: &str) -> String {
        match self {
            Self::Snake => name.to_owned(),
            Self::Camel => camel(name),
        }
    }

    /// A value whose members have underscores, in this spelling.
    pub(crate) fn spelled(self, value: &Value) -> Value {
        match (self, value) {
            (Self::Camel, Value::Object(members)) => {
                let spell = |(name, value): (&String, &Value)| {
                    let value = if is_free(name) { value.clone() } else { self.spelled(value) };
                    (camel(name), value)
                };
                Value::Object(members.iter().map(spell).collect())
            }
            (Self::Camel, Value::Array(items)) => {
                Value::Array(items.iter().map(|item| self.spelled(item)).collect())
            }
            _ => value.clone(),
        }
    }
}

/// The value in snake case, and its spelling: camel case as soon as one member has it. None where a member has both spellings.
pub(crate) fn normalised(mut value: Wiped) -> Option<(Wiped, Spelling)> {
    let mut found = Found::default();
    normalise(&mut value, &mut found);
    (!found.is_ambiguous).then_some((value, found.spelling))
}

#[derive(Default)]
struct Found {
    spelling: Spelling,
    is_ambiguous: bool,
}

fn normalise(value: &mut Value, found: &mut Found) {
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
    fn both_spellings_are_one_document() {
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
        assert_eq!(Spelling::Camel.spelled(&snake), camel);
        assert_eq!(Spelling::Snake.spelled(&snake), snake);
    }

    #[test]
    fn a_member_in_both_spellings_is_ambiguous() {
        assert_eq!(found(json!({ "client_id": "a", "clientId": "b" })), None);
    }
}
