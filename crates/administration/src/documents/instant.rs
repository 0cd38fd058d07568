//! Instants in documents: texts of RFC 3339.

use serde::{Deserialize, Serialize};
use values::Timestamp;

/// An instant, which a document writes as `2027-01-31T12:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instant(pub Timestamp);

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl From<Instant> for Timestamp {
    fn from(Instant(at): Instant) -> Self {
        at
    }
}

impl From<Instant> for String {
    fn from(Instant(at): Instant) -> Self {
        at.to_rfc3339()
    }
}

impl TryFrom<String> for Instant {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let at = Timestamp::parse_rfc3339(&text).map(Self);
        at.ok_or("expected an instant such as 2027-01-31T12:00:00Z")
    }
}
