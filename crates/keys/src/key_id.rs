//! The names of a key: its number within the tenant, and its `kid` in tokens and key sets (RFC 7517 §4.5).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use tenancy::KidForm;

use crate::KeyAlgorithm;

/// The number of thumbprint characters in a `kid`: 96 bits.
const START: usize = 16;

/// The `kid` of a key. A number alone does not identify a key, because every tenant can have a key with the
/// number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kid {
    /// `oauth2-key-N`.
    Numbered(u32),
    /// The start of the key's thumbprint (RFC 7638), which is globally unique.
    Thumbprint([u8; START]),
}

/// Identifies a key within its tenant. Numbers are consecutive and never used again, so keys are compared and
/// ordered by number only.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, derive_more::Display)]
#[serde(from = "KeyIdForm", into = "KeyIdForm")]
#[display("{kid}")]
pub struct KeyId {
    number: u32,
    kid: Kid,
}

/// The form in the shared cache.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum KeyIdForm {
    Numbered(u32),
    Named(u32, String),
}

impl Kid {
    /// Parses a `kid`. `None` for a text that this server would not write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(number) = text.strip_prefix("oauth2-key-") {
            let is_as_written = number == "0" || !number.starts_with(['0', '+']);
            return number.parse().ok().filter(|_| is_as_written).map(Self::Numbered);
        }
        let is_written = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        <[u8; START]>::try_from(text.as_bytes())
            .ok()
            .filter(|text| text.iter().all(is_written))
            .map(Self::Thumbprint)
    }

    fn of_thumbprint(thumbprint: &str) -> Option<Self> {
        Self::parse(thumbprint.get(..START)?)
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered(number) => write!(f, "oauth2-key-{number}"),
            Self::Thumbprint(start) => f.write_str(std::str::from_utf8(start).map_err(|_| fmt::Error)?),
        }
    }
}

impl KeyId {
    /// The key with this number and `oauth2-key-N` as its `kid`. The first number is 1.
    #[must_use]
    pub const fn numbered(number: u32) -> Self {
        Self { number, kid: Kid::Numbered(number) }
    }

    /// The key with the `kid` that the tenant's setting requires. Keys that are not published have a number
    /// only.
    #[must_use]
    pub fn named(self, algorithm: KeyAlgorithm, form: KidForm, thumbprint: &str) -> Self {
        let numbered = Kid::Numbered(self.number);
        let kid = match form {
            KidForm::Numbered => numbered,
            KidForm::Thumbprint if algorithm == KeyAlgorithm::OpaqueTokens => numbered,
            KidForm::Thumbprint => Kid::of_thumbprint(thumbprint).unwrap_or(numbered),
        };
        Self { kid, ..self }
    }

    /// The key with a stored `kid`. Without a stored `kid`, the number is the `kid`.
    #[must_use]
    pub fn stored(number: u32, kid: Option<&str>) -> Option<Self> {
        kid.map_or(Some(Self::numbered(number)), |kid| Some(Self { number, kid: Kid::parse(kid)? }))
    }

    /// The `kid` to store. `None` if the number is the `kid`.
    #[must_use]
    pub fn to_store(self) -> Option<String> {
        (self.kid != Kid::Numbered(self.number)).then(|| self.kid.to_string())
    }

    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }

    #[must_use]
    pub const fn kid(self) -> Kid {
        self.kid
    }
}

impl From<KeyIdForm> for KeyId {
    fn from(form: KeyIdForm) -> Self {
        match form {
            KeyIdForm::Numbered(number) => Self::numbered(number),
            // If another version wrote a different form of `kid`, the key verifies nothing.
            KeyIdForm::Named(number, kid) => {
                Self::stored(number, Some(&kid)).unwrap_or(Self::numbered(number))
            }
        }
    }
}

impl From<KeyId> for KeyIdForm {
    fn from(id: KeyId) -> Self {
        match id.to_store() {
            None => Self::Numbered(id.number),
            Some(kid) => Self::Named(id.number, kid),
        }
    }
}

impl PartialEq for KeyId {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for KeyId {}

impl PartialOrd for KeyId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

impl Hash for KeyId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use protocol::SigningAlgorithm;

    use super::*;

    // [keys RFC 7517 §4.5]: The keys of a set have different `kid` values; a number or a thumbprint is never
    //   used again
    // [jwt RFC 8725 §3.10]
    #[test]
    fn only_canonical_key_ids_are_parsed() {
        assert_eq!(Kid::parse("oauth2-key-17"), Some(Kid::Numbered(17)));
        assert_eq!(Kid::parse("oauth2-key-0"), Some(Kid::Numbered(0)));
        assert_eq!(Kid::parse("NzbLsXh8uDCcd-6M").unwrap().to_string(), "NzbLsXh8uDCcd-6M");
        let numbers =
            "oauth2-key-00 oauth2-key-01 oauth2-key-+1 oauth2-key- OAUTH2-key-1 1 ../1 oauth2-key-4294967296";
        let thumbprints = "NzbLsXh8uDCcd-6 NzbLsXh8uDCcd-6MN NzbLsXh8uDCcd+6M NzbLsXh8uDCcd/..";
        for bad in numbers.split(' ').chain(thumbprints.split(' ')) {
            assert_eq!(Kid::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn thumbprint_kid_is_a_prefix_and_survives_storage() {
        let thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        let numbered = KeyId::numbered(7);
        for (form, expected, stored) in [
            (KidForm::Numbered, "oauth2-key-7", None),
            (KidForm::Thumbprint, "NzbLsXh8uDCcd-6M", Some("NzbLsXh8uDCcd-6M")),
        ] {
            let id = numbered.named(KeyAlgorithm::Signing(SigningAlgorithm::EdDSA), form, thumbprint);
            assert_eq!((id.to_string().as_str(), id.number(), id), (expected, 7, numbered));
            assert_eq!(id.to_store().as_deref(), stored);
            let shared: KeyId = serde_json::from_str(&serde_json::to_string(&id).unwrap()).unwrap();
            for read in [KeyId::stored(7, stored).unwrap(), shared] {
                assert_eq!((read, read.kid()), (id, id.kid()));
            }
        }
    }
}
