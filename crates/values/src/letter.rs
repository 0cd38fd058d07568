//! What a message to a person says.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, named};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub kind: LetterKind,
    /// The code that the person types, if the page that asked for it expects one.
    pub code: Option<String>,
    /// The link of the letter, which contains a code after `#`, and when both expire.
    pub link: Option<(String, Timestamp)>,
    /// When the letter was written, or what it reports happened.
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// The person, or somebody else, wants to reset the password.
    Recovery,
    /// The person claims this address.
    Verification,
    /// An administrator has created the account.
    Invitation,
    /// The password was changed.
    PasswordChanged,
    /// The account has a new address. The link restores this address.
    AddressChanged,
    /// This address now belongs to the account.
    AddressConfirmed,
    /// `latchkey mail test`.
    Test,
}

named! {
    LetterKind {
        Recovery => "recovery",
        Verification => "verification",
        Invitation => "invitation",
        PasswordChanged => "password_changed",
        AddressChanged => "address_changed",
        AddressConfirmed => "address_confirmed",
        Test => "test"
    }
}

impl Letter {
    /// A letter without a code and a link.
    #[must_use]
    pub const fn new(kind: LetterKind, at: Timestamp) -> Self {
        Self { kind, code: None, link: None, at }
    }

    /// Whether the letter only reports an event. Otherwise the person asked for it or has to act.
    #[must_use]
    pub const fn is_notice(&self) -> bool {
        matches!(
            self.kind,
            LetterKind::PasswordChanged | LetterKind::AddressChanged | LetterKind::AddressConfirmed
        )
    }
}
