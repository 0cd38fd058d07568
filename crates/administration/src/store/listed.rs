//! Rows that this version may be unable to read: a newer version wrote them, or they are damaged.

use accounts::AccountId;
use async_trait::async_trait;
use registry::{ApiKeyId, ClientId};
use tenancy::{Stored, TenantId};

use crate::documents::application::{Application, ApplicationId};
use crate::kinds;

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

/// Finds the placeholder of a row that this version cannot read, so that the row can be deleted. Finds
/// nothing if this version can read the row.
#[async_trait]
pub trait UnreadableRows: Send + Sync {
    async fn find_unreadable_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Stored<Option<kinds::client::State>>;

    async fn find_unreadable_account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Stored<Option<kinds::account::State>>;

    async fn find_unreadable_api_key(
        &self,
        tenant: &TenantId,
        key: &ApiKeyId,
    ) -> Stored<Option<kinds::api_key::State>>;

    async fn find_unreadable_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Stored<Option<Application>>;
}
