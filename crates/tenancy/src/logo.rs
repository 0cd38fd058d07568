//! A tenant's logo: the digest of a picture that the store has beside the tenant. Rows and caches of tenants
//! contain the digest alone, so that no request for a token reads a picture.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A logo, by the digest of its bytes. Two are equal if their digests are.
#[derive(Clone, Serialize, Deserialize, derive_more::Debug)]
#[serde(transparent)]
#[debug("Logo({hash:?})")]
pub struct Logo {
    hash: String,
    /// The bytes of a logo that must be stored.
    #[serde(skip)]
    content: Option<Arc<[u8]>>,
}

impl Logo {
    /// A logo that must be stored, with the digest of its bytes.
    #[must_use]
    pub fn new(hash: String, content: impl Into<Arc<[u8]>>) -> Self {
        Self { hash, content: Some(content.into()) }
    }

    #[must_use]
    pub const fn stored(hash: String) -> Self {
        Self { hash, content: None }
    }

    /// The digest of its bytes, which its path has.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Its bytes, if they must be stored.
    #[must_use]
    pub const fn content(&self) -> Option<&Arc<[u8]>> {
        self.content.as_ref()
    }
}

impl PartialEq for Logo {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Logo {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_digest_alone_and_a_logo_is_the_same_with_and_without_its_bytes() {
        let logo = Logo::new("digest".to_owned(), *b"bytes");
        let text = serde_json::to_string(&logo).unwrap();
        assert_eq!((text.as_str(), format!("{logo:?}").as_str()), ("\"digest\"", "Logo(\"digest\")"));
        let read: Logo = serde_json::from_str(&text).unwrap();
        assert_eq!((&read, read.content()), (&logo, None));
        assert_ne!(logo, Logo::stored("another".to_owned()));
    }
}
