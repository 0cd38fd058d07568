//! How long refresh tokens live, and when a client gets a new one in place of the one that it sends (RFC 6749
//! §6, RFC 9700 §2.2.2).

use serde::{Deserialize, Serialize};
use values::{Lifetime, named, skip_serializing_none};

/// The policy of a tenant's refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefreshTokenPolicy {
    /// The clients whose refresh tokens change with each use.
    pub rotation: Rotation,
    /// How long after a use the same token returns the same successor.
    pub grace: Lifetime,
    /// How long a token is valid without a use.
    pub idle: Lifetime,
    /// How long after the sign-in there are any.
    pub absolute: Lifetime,
}

/// A client's differences from its tenant's policy.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnRefreshTokenPolicy {
    /// The value in place of the tenant's `rotation`.
    pub rotation: Option<Rotation>,
    /// The value in place of the tenant's `grace`.
    pub grace: Option<Lifetime>,
    /// The value in place of the tenant's `idle`.
    pub idle: Option<Lifetime>,
    /// The value in place of the tenant's `absolute`.
    pub absolute: Option<Lifetime>,
}

/// The clients whose refresh tokens change with each use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Public clients. The refresh tokens of a client that authenticates are bound to its credential.
    #[default]
    Public,
    /// All clients.
    Always,
    /// No client's refresh tokens change.
    Never,
}

impl RefreshTokenPolicy {
    /// The longest time after a sign-in: rows lie in a ring that has room for it.
    pub const LONGEST: Lifetime = Lifetime::from_seconds(400 * 86_400);
    /// The longest grace: for as long a thief would get the owner's tokens unnoticed.
    pub const LONGEST_GRACE: Lifetime = Lifetime::from_seconds(300);

    /// The policy of a client with these differences.
    #[must_use]
    pub fn with(self, own: OwnRefreshTokenPolicy) -> Self {
        Self {
            rotation: own.rotation.unwrap_or(self.rotation),
            grace: own.grace.unwrap_or(self.grace),
            idle: own.idle.unwrap_or(self.idle),
            absolute: own.absolute.unwrap_or(self.absolute),
        }
    }
}

/// Thirty seconds of grace, thirty days without a use, half a year in all.
impl Default for RefreshTokenPolicy {
    fn default() -> Self {
        Self {
            rotation: Rotation::default(),
            grace: Lifetime::from_seconds(30),
            idle: Lifetime::from_seconds(30 * 86_400),
            absolute: Lifetime::from_seconds(180 * 86_400),
        }
    }
}

named!(Rotation { Public => "public", Always => "always", Never => "never" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_stored_form_and_what_is_left_out_has_its_default() {
        for (name, rotation) in Rotation::NAMED {
            assert_eq!((rotation.as_str(), serde_json::to_value(rotation).unwrap()), (name, name.into()));
        }
        let stored: RefreshTokenPolicy = serde_json::from_str(r#"{"grace":0}"#).unwrap();
        let grace = Lifetime::from_seconds(0);
        assert_eq!(stored, RefreshTokenPolicy { grace, ..RefreshTokenPolicy::default() });
    }
}
