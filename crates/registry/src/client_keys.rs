//! The public keys that a client signs its assertions with (RFC 7591 §2 `jwks`).

use std::sync::{Arc, OnceLock};

use keys::{InvalidKeySet, PublicKeys};
use serde::{Deserialize, Serialize};

/// A client's key set: the document, and its keys. The keys are parsed when they are first needed.
#[derive(Clone, Serialize, Deserialize, derive_more::Debug)]
#[serde(from = "String", into = "String")]
#[debug("ClientKeys({:?})", _0.document)]
pub struct ClientKeys(Arc<ParsedKeys>);

struct ParsedKeys {
    document: String,
    keys: OnceLock<PublicKeys>,
}

impl ClientKeys {
    /// Reads a JWKS document.
    ///
    /// # Errors
    /// [`InvalidKeySet`]; keys that cannot be used are in [`PublicKeys::left_out`].
    pub fn parse(document: &str) -> Result<Self, InvalidKeySet> {
        let keys = PublicKeys::read_of_client(document)?;
        Ok(Self(Arc::new(ParsedKeys { document: document.to_owned(), keys: keys.into() })))
    }

    /// Reads the JWKS document of another issuer.
    ///
    /// # Errors
    /// As [`ClientKeys::parse`].
    pub fn parse_of_issuer(document: &str) -> Result<Self, InvalidKeySet> {
        let keys = PublicKeys::read_of_issuer(document)?;
        Ok(Self(Arc::new(ParsedKeys { document: document.to_owned(), keys: keys.into() })))
    }

    /// The JWKS document.
    #[must_use]
    pub fn document(&self) -> &str {
        &self.0.document
    }

    /// The keys of the document. A document that cannot be read has none; such a document is never stored.
    #[must_use]
    pub fn keys(&self) -> &PublicKeys {
        self.0.keys.get_or_init(|| PublicKeys::read_of_client(&self.0.document).unwrap_or_default())
    }
}

/// The thumbprints of the keys that the first set has and the second one lacks.
pub fn removed_keys<'a>(
    before: Option<&'a ClientKeys>,
    after: Option<&'a ClientKeys>,
) -> impl Iterator<Item = &'a str> {
    let is_kept = move |thumbprint: &str| {
        after.is_some_and(|after| after.keys().thumbprints().any(|kept| kept == thumbprint))
    };
    // An unchanged document is not parsed.
    let before = before.filter(|before| after != Some(*before));
    let removed = before.into_iter().flat_map(|before| before.keys().thumbprints());
    removed.filter(move |thumbprint| !is_kept(thumbprint))
}

/// A document that was parsed before it was stored.
impl From<String> for ClientKeys {
    fn from(document: String) -> Self {
        Self(Arc::new(ParsedKeys { document, keys: OnceLock::new() }))
    }
}

impl From<ClientKeys> for String {
    fn from(keys: ClientKeys) -> Self {
        keys.0.document.clone()
    }
}

impl PartialEq for ClientKeys {
    fn eq(&self, other: &Self) -> bool {
        self.0.document == other.0.document
    }
}

impl Eq for ClientKeys {}
