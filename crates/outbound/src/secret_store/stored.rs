//! A secret in a store: one or two versions of a text, of which a member is the secret.

use std::collections::BTreeMap;

use derive_more::Debug;
use serde_json::value::RawValue;
#[cfg(any(feature = "aws-secrets", feature = "vault"))]
use serde_json::value::to_raw_value;
use values::{Secret, Timestamp};
use zeroize::Zeroizing;

use super::error::{Flaw, UnusableSecret};

/// The longest accepted text: the limit of AWS Secrets Manager.
pub(super) const LONGEST: usize = 64 * 1024;

/// A secret: its current version and, if it was requested and the store still has it, the previous one.
#[derive(Debug)]
pub struct StoredSecret {
    /// The version that the store returns by default.
    pub current: StoredVersion,
    pub previous: Option<StoredVersion>,
}

#[derive(Debug)]
pub struct StoredVersion {
    /// The store's name for the version: a number in Vault, an identifier in AWS.
    pub version: String,
    /// The moment of its creation, by the clock of the store.
    pub created_at: Timestamp,
    #[debug("[redacted]")]
    text: Zeroizing<String>,
    /// The store and the path, for messages.
    place: String,
}

impl StoredVersion {
    /// A version of the secret at a place, which is the prefix of messages.
    ///
    /// # Errors
    /// [`UnusableSecret`] if the text is larger than 64 KiB.
    pub fn new(
        place: String,
        version: String,
        created_at: Timestamp,
        text: Zeroizing<String>,
    ) -> Result<Self, UnusableSecret> {
        if text.len() > LONGEST {
            return Err(UnusableSecret { place, flaw: Flaw::TooLarge });
        }
        Ok(Self { version, created_at, text, place })
    }

    /// With a key, the string member of the JSON object. Without a key, the whole text.
    ///
    /// # Errors
    /// [`UnusableSecret`] if the text is no JSON object, or it has no such member, or the member is no
    /// string.
    pub fn value(&self, key: Option<&str>) -> Result<Secret, UnusableSecret> {
        match key {
            None => Ok(Secret::new(String::clone(&self.text))),
            Some(key) => {
                member(&self.text, key).map_err(|flaw| UnusableSecret { place: self.place.clone(), flaw })
            }
        }
    }
}

fn member(text: &str, key: &str) -> Result<Secret, Flaw> {
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|_| Flaw::NoObject(key.to_owned()))?;
    let member = members.get(key).ok_or_else(|| Flaw::NoMember(key.to_owned()))?;
    let text = serde_json::from_str(member.get()).map_err(|_| Flaw::NoString(key.to_owned()))?;
    Ok(Secret::new(text))
}

/// The text to store in place of the current one, which may be absent: without a key the value alone,
/// otherwise the object with the new value at the key. The other members stay exactly as they are written,
/// with numbers of any length.
#[cfg(any(feature = "aws-secrets", feature = "vault"))]
pub(super) fn replaced(
    place: &str,
    current: Option<&StoredVersion>,
    key: Option<&str>,
    value: &Secret,
) -> Result<Zeroizing<String>, UnusableSecret> {
    let Some(key) = key else { return Ok(Zeroizing::new(value.expose().to_owned())) };
    let no_object = |_| UnusableSecret { place: place.to_owned(), flaw: Flaw::NoObject(key.to_owned()) };
    let object = current.map_or("{}", |current| &current.text);
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(object).map_err(no_object)?;
    members.insert(key.to_owned(), to_raw_value(value.expose()).map_err(no_object)?);
    serde_json::to_string(&members).map(Zeroizing::new).map_err(no_object)
}
