//! Rows that this version may be unable to read: a newer version wrote them, or they are damaged.

use accounts::AccountId;
use async_trait::async_trait;
use registry::{ApiKeyId, ClientId};
use tenancy::{Stored, TenantId};

use crate::documents::application::{Application, ApplicationId};
use crate::kinds::TenantState;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed<T> {
    Read(T),
    /// A placeholder for a row that this version cannot read: it has the row's names and times, and defaults
    /// otherwise. The log says why.
    Unreadable(T),
}

impl<T> Listed<T> {
    /// The row, or its placeholder.
    pub const fn any(&self) -> &T {
        let (Self::Read(row) | Self::Unreadable(row)) = self;
        row
    }

    pub fn read(self) -> Option<T> {
        match self {
            Self::Read(row) => Some(row),
            Self::Unreadable(_) => None,
        }
    }
}

/// The rows that this version can read.
#[must_use]
pub fn readable<T>(rows: Vec<Listed<T>>) -> Vec<T> {
    rows.into_iter().filter_map(Listed::read).collect()
}

/// The name of a row that this version cannot read.
#[derive(Debug)]
pub enum UnreadableRow {
    Client(ClientId),
    Account(AccountId),
    ApiKey(ApiKeyId),
    Application(ApplicationId),
}

/// Finds the placeholder of a row that this version cannot read, so that the row can be deleted. Finds
/// nothing if this version can read the row.
#[async_trait]
pub trait UnreadableRows: Send + Sync {
    /// Adds the placeholder to the state of its tenant, if the state has rows of this kind.
    async fn add_unreadable_row(&self, state: &mut TenantState, row: &UnreadableRow) -> Stored<()>;

    async fn find_unreadable_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Stored<Option<Application>>;
}
