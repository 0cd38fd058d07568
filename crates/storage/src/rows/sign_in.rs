//! The columns of sessions, refresh families, logout notices and consents.

use administration::kinds::state::ConsentState;
use grants::{Consent, ConsentedResources, FoundFamily, LogoutAddress, QueuedLogout, RefreshFamily};
use registry::ClientId;
use sessions::{FoundSession, Session};
use values::Timestamp;

use crate::column::ColumnValue as _;
use crate::columns::columns;
use crate::error::Error;
use crate::refresh_families::is_live;
use crate::row::{DatabaseRow, FromRow};

columns! {
    Session {
        tenant: "tenant_id",
        id: "session_id",
        account: "account_id",
        slot, token_digest, authenticated_at, acr, amr, created_at, last_seen_at, idle, expires_at,
        remembered, user_agent, source, ended_at,
    }
}

columns! {
    RefreshFamily {
        tenant: "tenant_id",
        id: "family_id",
        client: "client_id",
        account: "account_id",
        session: "session_id",
        slot, session_slot, secret_digest, generation, rotated_at, dpop_key, certificate,
        credential, granted, created_at, idle_until, expires_at, ended_at,
    }
}

columns! {
    LogoutAddress {
        tenant: "tenant_id",
        client: "client_id",
    }
}

columns! {
    QueuedLogout {
        tenant: "tenant_id",
        session: "session_id",
        client: "client_id",
        account: "account_id",
        slot, attempts,
    }
}

columns! {
    Consent {
        account: "account_id",
        client: "client_id",
        scopes, hosts, client_name, resources, granted_at,
    }
}

impl FromRow for ConsentState {
    fn selection(table: &str) -> String {
        let columns = ["client_id", "scopes", "resources", "granted_at"];
        columns.map(|name| format!("{table}.{name}")).join(", ")
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let resources = Option::<ConsentedResources>::read(row, "resources")?.unwrap_or_default();
        Ok(Self {
            client: ClientId::read(row, "client_id")?,
            scopes: Vec::read(row, "scopes")?,
            resources: resources.0.into_keys().collect(),
            granted_at: Timestamp::read(row, "granted_at")?,
        })
    }
}

impl FromRow for FoundSession {
    fn selection(table: &str) -> String {
        format!("{}, a.valid_from", Session::selection(table))
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        Ok(Self { session: Session::from_row(row)?, valid_from: Option::read(row, "valid_from")? })
    }
}

impl FromRow for FoundFamily {
    fn selection(table: &str) -> String {
        format!("{}, {} AS is_live", RefreshFamily::selection(table), is_live!())
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        Ok(Self { family: RefreshFamily::from_row(row)?, is_live: bool::read(row, "is_live")? })
    }
}
