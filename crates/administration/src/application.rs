//! An application of the Thunder-compatible API: a client of the tenant, with what the surface shows beside it.

use std::fmt;

use protocol::Timestamp;
use registry::ClientId;
use serde_json::Value;
use tenancy::TenantId;
use uuid::Uuid;

/// An application's identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApplicationId(Uuid);

/// An application's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its identifier.
    pub id: ApplicationId,
    /// Its name, once in its tenant.
    pub name: String,
    /// Its client; an application without OAuth has none.
    pub client: Option<ClientId>,
    /// The members that were sent, in their order and the documented spelling, without any secret.
    pub document: Value,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApplicationId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// From its text, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
