//! Facts about a refused request for the access log. The response contains none of them.

use std::sync::Arc;

use grants::named_scope;
use protocol::{RefusalReason, ScopeToken};
use registry::{Client, ClientId};
use tenancy::{Tenant, TenantId};

/// Holds shared rows instead of copies, so that a request of a registered client makes no more
/// allocations than a request of an unknown client.
#[derive(Clone, Debug)]
pub(crate) struct RequestRefusal {
    pub(crate) reason: RefusalReason,
    pub(crate) named: LoggedName,
}

/// What the log names in addition to the reason.
#[derive(Clone, Debug)]
pub(crate) enum LoggedName {
    Nothing,
    /// A suspended tenant.
    Tenant(Arc<Tenant>),
    /// A registered client that the request names without a proof.
    Client(Arc<Client>),
    /// A scope token that an authenticated client may not have.
    Scope(Box<ScopeToken>),
}

impl RequestRefusal {
    pub(crate) const fn because(reason: RefusalReason) -> Self {
        Self { reason, named: LoggedName::Nothing }
    }

    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        if let LoggedName::Tenant(tenant) = &self.named { Some(&tenant.id) } else { None }
    }

    pub(crate) fn claimed_client(&self) -> Option<&ClientId> {
        if let LoggedName::Client(client) = &self.named { Some(&client.id) } else { None }
    }

    /// `None` if the scope token may not appear in the log.
    pub(crate) fn scope(&self) -> Option<&str> {
        if let LoggedName::Scope(scope) = &self.named { named_scope(scope) } else { None }
    }
}
