//! The columns of sessions, families of refresh tokens, notices and consents.

use administration::ConsentState;
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
        slot: "slot",
        id: "session_id",
        token_digest: "token_digest",
        account: "account_id",
        authenticated_at: "authenticated_at",
        acr: "acr",
        amr: "amr",
        created_at: "created_at",
        last_seen_at: "last_seen_at",
        idle: "idle",
        expires_at: "expires_at",
        remembered: "remembered",
        user_agent: "user_agent",
        source: "source",
        ended_at: "ended_at",
    }
}

columns! {
    RefreshFamily {
        tenant: "tenant_id",
        slot: "slot",
        id: "family_id",
        client: "client_id",
        account: "account_id",
        session: "session_id",
        session_slot: "session_slot",
        secret_digest: "secret_digest",
        generation: "generation",
        rotated_at: "rotated_at",
        dpop_key: "dpop_key",
        certificate: "certificate",
        credential: "credential",
        granted: "granted",
        created_at: "created_at",
        idle_until: "idle_until",
        expires_at: "expires_at",
        ended_at: "ended_at",
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
        slot: "slot",
        session: "session_id",
        client: "client_id",
        account: "account_id",
        attempts: "attempts",
    }
}

columns! {
    Consent {
        account: "account_id",
        client: "client_id",
        scopes: "scopes",
        hosts: "hosts",
        client_name: "client_name",
        resources: "resources",
        granted_at: "granted_at",
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
