//! From a client's rows to its document.

use protocol::Timestamp;
use registry::Client;

use super::{ClientSettings, ClientView, TokenSettings};
use crate::{ClientState, RowLifecycle};

impl ClientView {
    /// The view of a client's rows.
    #[must_use]
    pub fn of(state: &ClientState, now: Timestamp) -> Self {
        let ClientState { client, lifecycle, secrets } = state;
        let live = secrets.iter().filter(|row| row.secret.is_live(now)).count();
        Self {
            client_id: client.id.to_string(),
            status: status(lifecycle).to_owned(),
            managed_by: lifecycle.managed_by.as_str().to_owned(),
            created_at: lifecycle.created_at,
            updated_at: lifecycle.updated_at,
            live_secrets: u32::try_from(live).unwrap_or(u32::MAX),
            settings: ClientSettings::from(client),
        }
    }
}

impl From<&Client> for ClientSettings {
    fn from(client: &Client) -> Self {
        let Client {
            tenant: _,
            id: _,
            name,
            status: _,
            authentication_method,
            grant_types,
            audiences,
            resources,
            scope,
            access_token_lifetime,
            issuer,
            introspection,
            secrets: _,
        } = client;
        Self {
            name: Some(name.clone()),
            token_endpoint_auth_method: authentication_method.to_string(),
            grant_types: grant_types.iter().map(ToString::to_string).collect(),
            audiences: audiences.clone(),
            resources: resources.clone(),
            scopes: scope.iter().map(|token| token.as_str().to_owned()).collect(),
            access_token_lifetime: *access_token_lifetime,
            token: TokenSettings { issuer: issuer.as_ref().map(ToString::to_string) },
            introspection: introspection.as_str().to_owned(),
            ..Self::default()
        }
    }
}

fn status(lifecycle: &RowLifecycle) -> &'static str {
    if lifecycle.retired_at.is_some() {
        "retired"
    } else if lifecycle.suspended_at.is_some() {
        "suspended"
    } else {
        "active"
    }
}
