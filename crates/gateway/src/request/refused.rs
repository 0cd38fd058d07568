//! The facts that the access log adds to the error code of a refused request. The response contains none of
//! them.

use std::sync::Arc;

use grants::named_scope;
use protocol::{RefusalReason, ScopeToken};
use registry::{Client, ClientId};
use tenancy::{Tenant, TenantId};

/// The reason, and the refused row. It holds rows and not copies, so a request of a registered client makes
/// no more allocations than that of an unknown one.
#[derive(Clone, Debug)]
pub(crate) struct RequestRefusal {
    pub(crate) reason: RefusalReason,
    pub(crate) named: LoggedName,
}

/// The name in the log beside the reason.
#[derive(Clone, Debug)]
pub(crate) enum LoggedName {
    Nothing,
    /// A tenant that does not serve.
    Tenant(Arc<Tenant>),
    /// The registered client that the request names without a proof.
    Client(Arc<Client>),
    /// The scope token that an authenticated client may not have.
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

    /// The scope token, where it may be named.
    pub(crate) fn scope(&self) -> Option<&str> {
        if let LoggedName::Scope(scope) = &self.named { named_scope(scope) } else { None }
    }
}
