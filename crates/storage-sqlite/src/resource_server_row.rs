//! A resource server as its tenant's row has gathered it.

use administration::ResourceServerState;
use protocol::Scope;
use serde::Deserialize;
use tenancy::{ResourceServer, StoreError};

use crate::column::unreadable;
use crate::standing_row::StandingRow;

#[derive(Deserialize)]
pub(crate) struct ResourceServerRow {
    audience: String,
    scopes: String,
    introspection_clients: Vec<String>,
    #[serde(flatten)]
    standing: StandingRow,
}

impl TryFrom<ResourceServerRow> for ResourceServerState {
    type Error = StoreError;

    fn try_from(row: ResourceServerRow) -> Result<Self, Self::Error> {
        let ResourceServerRow { audience, scopes, introspection_clients, .. } = row;
        let scopes = Scope::parse(&scopes).map_err(|cause| unreadable("scopes", cause))?;
        let standing = row.standing.standing()?;
        Ok(Self { resource_server: ResourceServer { audience, scopes, introspection_clients }, standing })
    }
}
