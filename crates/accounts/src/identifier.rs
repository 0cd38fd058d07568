//! The identifier that a person types to sign in: an email address or a user name. A text with `@` is an
//! address; every other text is a user name.

use std::str::FromStr;

use derive_more::Display;
use values::{DeserializeFromStr, SerializeDisplay};

use crate::{EmailAddress, InvalidIdentifier, Username};

/// A normalized identifier. Unique within a tenant.
#[derive(
    Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, SerializeDisplay, DeserializeFromStr,
)]
pub enum Identifier {
    Email(EmailAddress),
    Username(Username),
}

impl Identifier {
    /// Parses what a person typed. Ignores whitespace around it.
    ///
    /// # Errors
    /// [`InvalidIdentifier`].
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let text = text.trim_ascii();
        if text.contains('@') {
            EmailAddress::parse(text).map(Self::Email)
        } else {
            Username::parse(text).map(Self::Username)
        }
    }

    /// The kind in database rows.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Username(_) => "username",
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(address) => address.as_str(),
            Self::Username(name) => name.as_str(),
        }
    }
}

impl FromStr for Identifier {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_determines_identifier_kind() {
        for (text, kind, expected) in [
            ("Ada@Example.com", "email", "ada@example.com"),
            (" ada@example.com\t", "email", "ada@example.com"),
            ("Ada", "username", "ada"),
            (" ada ", "username", "ada"),
        ] {
            let identifier = Identifier::parse(text).unwrap();
            assert_eq!((identifier.kind(), identifier.as_str()), (kind, expected), "{text}");
            assert_eq!(identifier.to_string().parse(), Ok(identifier));
        }
        assert_eq!(Identifier::parse("a@"), Err(InvalidIdentifier::Email));
        assert_eq!(Identifier::parse(""), Err(InvalidIdentifier::Username));
    }
}
