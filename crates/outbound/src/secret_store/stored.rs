//! A secret as a store has it: one or two versions of a text, of which a member is the secret.

use std::collections::BTreeMap;

use derive_more::Debug;
use protocol::{Secret, Timestamp};
use serde_json::value::RawValue;
#[cfg(any(feature = "aws-secrets", feature = "vault"))]
use serde_json::value::to_raw_value;
use zeroize::Zeroizing;

use super::error::{Flaw, UnusableSecret};

/// The longest text that is read: that of AWS Secrets Manager.
const LONGEST: usize = 64 * 1024;

/// A secret: its current version and, if it was asked for and the store still has it, the one before.
#[derive(Debug)]
pub struct StoredSecret {
    /// The version that the store names when no other is asked for.
    pub current: StoredVersion,
    /// The one before.
    pub previous: Option<StoredVersion>,
}

/// One version of a secret.
#[derive(Debug)]
pub struct StoredVersion {
    /// What the store calls it: a number in Vault, an identifier in AWS.
    pub version: String,
    /// The moment of its creation, by the clock of the store.
    pub created_at: Timestamp,
    #[debug("[redacted]")]
    text: Zeroizing<String>,
    /// The store and the path, for messages.
    place: String,
}

impl StoredVersion {
    /// A version of the secret at a place, which messages begin with.
    ///
    /// # Errors
    /// [`UnusableSecret`] where the text is larger than 64 KiB.
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

    /// With a key that member of the JSON object, which is a string; without one the whole text.
    ///
    /// # Errors
    /// [`UnusableSecret`] where the text is no JSON object, or it has no such member, or the member is no
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

/// The text to store instead of the current one, which may be absent: the value alone without a key, else the
/// object with another value at the key. The other members stay as they are written, numbers of any length
/// included.
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
