//! The public name of an API key.

use std::str::FromStr;
use std::sync::Arc;

use derive_more::Display;
use protocol::api_key_name;
use serde::{Deserialize, Serialize};

/// The public name of a key: the 12 characters in it. It reveals nothing about the rest.
#[derive(Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ApiKeyId(Arc<str>);

/// The text is no name of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of an API key is 12 letters and digits")]
pub struct InvalidApiKeyId;

impl ApiKeyId {
    /// The name in a text of the shape of a key.
    #[must_use]
    pub fn of_key(text: &str) -> Option<Self> {
        api_key_name(text).map(|name| Self(name.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApiKeyId {
    type Err = InvalidApiKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_name { Ok(Self(text.into())) } else { Err(InvalidApiKeyId) }
    }
}

impl TryFrom<String> for ApiKeyId {
    type Error = InvalidApiKeyId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
