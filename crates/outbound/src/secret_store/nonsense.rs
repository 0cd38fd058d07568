//! Responses with a success status that cannot be understood. Messages never quote the response, because it
//! may contain a secret.

use serde_json::Value;

use super::stored::LONGEST;

/// A required member of a response: its JSON pointer and type.
pub(super) type ExpectedMember = (&'static str, JsonType);

#[derive(Clone, Copy, Debug, PartialEq, Eq, derive_more::Display)]
pub(super) enum JsonType {
    #[display("text")]
    Text,
    #[display("a number")]
    Number,
    #[cfg(feature = "vault")]
    #[display("an object")]
    Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Nonsense {
    #[error("the response is larger than 64 KiB")]
    TooLarge,
    #[error("the response is not JSON")]
    NoJson,
    #[error("the response has no member {0}")]
    NoMember(&'static str),
    #[error("the member {0} of the response is not {1}")]
    WrongMember(&'static str, JsonType),
    #[error("the response has an unexpected form")]
    Other,
}

impl Nonsense {
    /// The first problem of the body. `None` as body means that it was empty or not UTF-8.
    pub(super) fn of(body: Option<&[u8]>, members: &[ExpectedMember]) -> Self {
        let body = body.unwrap_or_default();
        if body.len() > LONGEST {
            return Self::TooLarge;
        }
        let Ok(value) = serde_json::from_slice::<Value>(body) else { return Self::NoJson };
        let flaw = members.iter().find_map(|&(name, kind)| {
            let fits = match (value.pointer(name), kind) {
                (None | Some(Value::Null), _) => return Some(Self::NoMember(name)),
                (Some(member), JsonType::Text) => member.is_string(),
                (Some(member), JsonType::Number) => member.is_number(),
                #[cfg(feature = "vault")]
                (Some(member), JsonType::Object) => member.is_object(),
            };
            (!fits).then_some(Self::WrongMember(name, kind))
        });
        flaw.unwrap_or(Self::Other)
    }
}
