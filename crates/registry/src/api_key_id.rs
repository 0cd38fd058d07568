//! The public name of an API key.

use std::str::FromStr;
use std::sync::Arc;

use derive_more::Display;
use protocol::api_key_name;
use serde::Serialize;
use values::{AsStr, DeserializeFromStr};

/// The public name of a key: 12 characters of its text. Reveals nothing about the other characters.
#[derive(
    AsStr, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, DeserializeFromStr,
)]
pub struct ApiKeyId(Arc<str>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of an API key is 12 letters and digits")]
pub struct InvalidApiKeyId;

impl ApiKeyId {
    /// The name in a text that has the format of a key. The checksum is not verified.
    #[must_use]
    pub fn of_key(text: &str) -> Option<Self> {
        api_key_name(text).map(|name| Self(name.into()))
    }
}

impl FromStr for ApiKeyId {
    type Err = InvalidApiKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_name { Ok(Self(text.into())) } else { Err(InvalidApiKeyId) }
    }
}
