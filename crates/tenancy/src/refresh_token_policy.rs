//! How long refresh tokens are valid, and when a client gets a new token for the one that it sends (RFC 6749
//! §6, RFC 9700 §2.2.2).

use serde::{Deserialize, Serialize};
use values::{Lifetime, named, skip_serializing_none};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefreshTokenPolicy {
    /// The clients whose refresh tokens change with each use.
    pub rotation: Rotation,
    /// How long after a use the same token returns the same successor.
    pub grace: Lifetime,
    /// How long a token is valid without being used.
    pub idle: Lifetime,
    /// How long refresh tokens are valid after the sign-in.
    pub absolute: Lifetime,
}

/// A client's overrides of its tenant's policy.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnRefreshTokenPolicy {
    pub rotation: Option<Rotation>,
    pub grace: Option<Lifetime>,
    pub idle: Option<Lifetime>,
    pub absolute: Option<Lifetime>,
}

/// The clients whose refresh tokens change with each use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Only public clients. The refresh tokens of other clients are bound to their credentials.
    #[default]
    Public,
    Always,
    Never,
}

impl RefreshTokenPolicy {
    /// The maximum of `absolute`: the ring of partitions has no room for more.
    pub const LONGEST: Lifetime = Lifetime::from_seconds(400 * 86_400);
    /// The maximum of `grace`: during this time, a thief could use the owner's tokens unnoticed.
    pub const LONGEST_GRACE: Lifetime = Lifetime::from_seconds(300);

    /// The policy with a client's overrides.
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

/// Thirty seconds of grace, thirty days without a use, half a year in total.
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
    fn stored_form_has_rotation_names_and_defaults() {
        for (name, rotation) in Rotation::NAMED {
            assert_eq!((rotation.as_str(), serde_json::to_value(rotation).unwrap()), (name, name.into()));
        }
        let stored: RefreshTokenPolicy = serde_json::from_str(r#"{"grace":0}"#).unwrap();
        let grace = Lifetime::from_seconds(0);
        assert_eq!(stored, RefreshTokenPolicy { grace, ..RefreshTokenPolicy::default() });
    }
}
