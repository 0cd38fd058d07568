//! A tenant's logo: the digest of a picture that is stored separately. Rows and caches of tenants contain
//! only the digest, so that no request for a token reads a picture.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A logo, identified by the digest of its bytes. Two logos are equal if their digests are equal.
#[derive(Clone, Serialize, Deserialize, derive_more::Debug)]
#[serde(transparent)]
#[debug("Logo({hash:?})")]
pub struct Logo {
    hash: String,
    /// The bytes, if they still must be stored.
    #[serde(skip)]
    content: Option<Arc<[u8]>>,
}

impl Logo {
    /// A logo whose bytes must be stored. `hash` is their digest.
    #[must_use]
    pub fn new(hash: String, content: impl Into<Arc<[u8]>>) -> Self {
        Self { hash, content: Some(content.into()) }
    }

    #[must_use]
    pub const fn stored(hash: String) -> Self {
        Self { hash, content: None }
    }

    /// The digest of the bytes, which is part of the logo's path.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The bytes, if they still must be stored.
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
    fn logo_is_stored_and_compared_by_digest() {
        let logo = Logo::new("digest".to_owned(), *b"bytes");
        let text = serde_json::to_string(&logo).unwrap();
        assert_eq!((text.as_str(), format!("{logo:?}").as_str()), ("\"digest\"", "Logo(\"digest\")"));
        let read: Logo = serde_json::from_str(&text).unwrap();
        assert_eq!((&read, read.content()), (&logo, None));
        assert_ne!(logo, Logo::stored("another".to_owned()));
    }
}
