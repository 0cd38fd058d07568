//! The name of a profile. It is used in the names of its files.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a profile. The file of its credential has this name, so it must not contain characters with a
/// meaning in paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ProfileName(String);

impl ProfileName {
    /// The name of a profile if the user does not choose one.
    pub(crate) const DEFAULT: &str = "default";

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProfileName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.bytes().all(is_plain) {
            return Err(
                "a profile name has 1 to 64 letters, digits, `-`, `_` or `.`, and does not start with `.`"
                    .to_owned(),
            );
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for ProfileName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_name_cannot_leave_its_folder() {
        for name in ["default", "a.b", "A-1_x"] {
            assert!(name.parse::<ProfileName>().is_ok(), "{name}");
        }
        for name in ["", ".", "..", ".x", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(name.parse::<ProfileName>().is_err(), "{name}");
        }
    }
}
