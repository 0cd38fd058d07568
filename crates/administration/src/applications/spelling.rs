//! The two spellings of this surface: members with underscores, as the seed has them, and camel case, as its current generation has.
//! Both are read; the answer is spelled as the request was.

use serde_json::{Map, Value};

/// How members are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// `client_id`.
    #[default]
    Snake,
    /// `clientId`.
    Camel,
}

/// What is in these is the caller's own, names included.
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

/// The value with underscores throughout, and how it was spelled: in camel case as soon as one member was. Nothing where a member is
/// there in both spellings.
pub(crate) fn normalised(value: Value) -> Option<(Value, Spelling)> {
    let mut spelling = Spelling::Snake;
    let value = normalise(value, &mut spelling)?;
    Some((value, spelling))
}

fn normalise(value: Value, spelling: &mut Spelling) -> Option<Value> {
    Some(match value {
        Value::Object(members) => {
            let mut normal = Map::new();
            for (name, value) in members {
                let snake = snake(&name);
                if snake != name {
                    *spelling = Spelling::Camel;
                }
                let value = if is_free(&snake) { value } else { normalise(value, spelling)? };
                if normal.insert(snake, value).is_some() {
                    return None;
                }
            }
            Value::Object(normal)
        }
        Value::Array(items) => {
            let items = items.into_iter().map(|item| normalise(item, spelling));
            Value::Array(items.collect::<Option<_>>()?)
        }
        other => other,
    })
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
        assert_eq!(normalised(snake.clone()), Some((snake.clone(), Spelling::Snake)));
        assert_eq!(normalised(camel.clone()), Some((snake.clone(), Spelling::Camel)));
        assert_eq!(Spelling::Camel.spelled(&snake), camel);
        assert_eq!(Spelling::Snake.spelled(&snake), snake);
    }

    #[test]
    fn a_member_in_both_spellings_is_ambiguous() {
        assert_eq!(normalised(json!({ "client_id": "a", "clientId": "b" })), None);
    }
}
