//! A secret in a store: one or two versions of a text. The secret is the whole text or a member of it.

use std::collections::BTreeMap;

use derive_more::Debug;
use serde_json::value::RawValue;
#[cfg(any(feature = "aws-secrets", feature = "vault"))]
use serde_json::value::to_raw_value;
use values::{Secret, Timestamp};
use zeroize::Zeroizing;

use super::error::{Flaw, UnusableSecret};

/// The maximum length of the text in bytes, which is the limit of AWS Secrets Manager.
pub(super) const LONGEST: usize = 64 * 1024;

/// A secret: its current version and, if it was requested and the store still has it, the previous version.
#[derive(Debug)]
pub struct StoredSecret {
    /// The version that the store returns by default.
    pub current: StoredVersion,
    pub previous: Option<StoredVersion>,
}

#[derive(Debug)]
pub struct StoredVersion {
    /// The store's name for the version: a number in Vault, an id in AWS.
    pub version: String,
    /// The time of its creation by the store's clock.
    pub created_at: Timestamp,
    #[debug("[redacted]")]
    text: Zeroizing<String>,
    /// The store and the path, for messages.
    place: String,
}

impl StoredVersion {
    /// `place` is the prefix of messages.
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
    /// [`UnusableSecret`] if the text is not a JSON object, or the member is missing or not a string.
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

/// The new text to store: without a key the value itself, otherwise the current object with the new value at
/// the key. Other members keep their exact text, including numbers of any length.
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
