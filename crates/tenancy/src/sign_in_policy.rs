//! How people sign in at a tenant, and how long they stay signed in.

use serde::{Deserialize, Serialize};
use values::Lifetime;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignInPolicy {
    pub session: SessionPolicy,
    /// Whether people can reset a forgotten password by mail.
    pub recovery: bool,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self { session: SessionPolicy::default(), recovery: true }
    }
}

/// How long sessions are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionPolicy {
    /// The maximum time without a use.
    pub idle: Lifetime,
    /// The maximum time after the sign-in.
    pub absolute: Lifetime,
    /// Both limits for a session that outlives the browser. Zero means that people cannot choose to stay
    /// signed in.
    pub remember: Lifetime,
}

impl SessionPolicy {
    /// The longest session: the ring of partitions has no room for more.
    pub const LONGEST: Lifetime = Lifetime::from_seconds(45 * 86_400);

    /// Whether people can choose to stay signed in after closing the browser.
    #[must_use]
    pub fn offers_to_remember(self) -> bool {
        self.remember.seconds() > 0
    }

    /// The maximum time without a use, and in total. If the tenant no longer offers to stay signed in,
    /// remembered sessions have the normal limits.
    #[must_use]
    pub fn lifetimes(self, is_remembered: bool) -> (Lifetime, Lifetime) {
        if is_remembered && self.offers_to_remember() {
            (self.remember, self.remember)
        } else {
            (self.idle, self.absolute)
        }
    }
}

/// Eight hours without a use, a day in total, and thirty days if the person chooses to stay signed in.
impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            idle: Lifetime::from_seconds(8 * 3_600),
            absolute: Lifetime::from_seconds(86_400),
            remember: Lifetime::from_seconds(30 * 86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_stored_settings_get_defaults() {
        let stored: SignInPolicy = serde_json::from_str(r#"{"session":{"idle":60}}"#).unwrap();
        let idle = Lifetime::from_seconds(60);
        let expected =
            SignInPolicy { session: SessionPolicy { idle, ..SessionPolicy::default() }, recovery: true };
        assert_eq!(stored, expected);
        assert_eq!(serde_json::from_str::<SignInPolicy>("{}").unwrap(), SignInPolicy::default());
    }

    #[test]
    fn session_is_remembered_only_if_offered() {
        let span = Lifetime::from_seconds;
        let policy = SessionPolicy { idle: span(1), absolute: span(2), remember: span(3) };
        assert_eq!(policy.lifetimes(false), (span(1), span(2)));
        assert_eq!(policy.lifetimes(true), (span(3), span(3)));
        let without = SessionPolicy { remember: span(0), ..policy };
        assert_eq!((without.offers_to_remember(), without.lifetimes(true)), (false, (span(1), span(2))));
    }
}
