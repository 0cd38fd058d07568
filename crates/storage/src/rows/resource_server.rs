//! A resource server as its tenant's row has gathered it.

use administration::ResourceServerState;
use protocol::Scope;
use serde::Deserialize;
use tenancy::{ResourceServer, StoreError};

use super::lifecycle::LifecycleColumns;
use crate::column::unreadable;

#[derive(Deserialize)]
pub(crate) struct ResourceServerRow {
    audience: String,
    scopes: String,
    introspection_clients: Vec<String>,
    #[serde(flatten)]
    lifecycle: LifecycleColumns,
}

impl TryFrom<ResourceServerRow> for ResourceServerState {
    type Error = StoreError;

    fn try_from(row: ResourceServerRow) -> Result<Self, Self::Error> {
        let ResourceServerRow { audience, scopes, introspection_clients, .. } = row;
        let scopes = Scope::parse(&scopes).map_err(|cause| unreadable("scopes", cause))?;
        let lifecycle = row.lifecycle.lifecycle()?;
        Ok(Self { resource_server: ResourceServer { audience, scopes, introspection_clients }, lifecycle })
    }
}
