//! The id of a session, which is the `sid` of ID tokens (OpenID Connect Back-Channel Logout §2.1). It gives
//! no access.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use derive_more::{AsRef, Display};
use secrets::random_bytes;
use serde::Serialize;
use values::{AsStr, DeserializeFromStr};

/// The number of random bytes, and of characters.
const BYTES: usize = 16;
const LENGTH: usize = 22;

#[derive(
    AsStr, AsRef, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, DeserializeFromStr,
)]
#[as_ref(str)]
pub struct SessionId(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identifier of a session is 22 characters of base64url")]
pub struct InvalidSessionId;

impl SessionId {
    #[must_use]
    pub fn generate() -> Self {
        Self::from_bytes(*random_bytes())
    }

    #[must_use]
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(BASE64URL.encode(bytes))
    }

    #[must_use]
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let length = BASE64URL.decode_slice(&self.0, &mut bytes);
        debug_assert!(length.is_ok_and(|length| length == BYTES), "it was parsed");
        bytes
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, InvalidSessionId> {
        let is_one = text.len() == LENGTH && BASE64URL.decode(text).is_ok();
        if is_one { Ok(Self(text.to_owned())) } else { Err(InvalidSessionId) }
    }
}
