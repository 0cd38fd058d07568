//! Answers with a success status that cannot be understood. Nothing of the answer is quoted, because the
//! answer may contain a secret.

use serde_json::Value;

use super::stored::LONGEST;

/// A member that an answer must have: the JSON pointer and the expected type.
pub(super) type ExpectedMember = (&'static str, JsonType);

/// The type of a member.
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

/// Why an answer cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Nonsense {
    #[error("the answer is larger than 64 KiB")]
    TooLarge,
    #[error("the answer is not JSON")]
    NoJson,
    #[error("the answer has no member {0}")]
    NoMember(&'static str),
    #[error("the member {0} of the answer is not {1}")]
    WrongMember(&'static str, JsonType),
    #[error("the answer has an unexpected form")]
    Other,
}

impl Nonsense {
    /// The first error of a body that was not understood. A body that is absent was empty or is not UTF-8.
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
