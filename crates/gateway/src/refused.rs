//! What the access log says of a refused request beside its error code. These are facts of the server; the response holds none of them.

use std::sync::Arc;

use protocol::{RefusalReason, ScopeToken};
use registry::{Client, ClientId};
use secrets::GeneratedSecret;
use tenancy::{Tenant, TenantId};

/// The longest scope token in a log line.
const LONGEST_SCOPE: usize = 64;

/// The reason, and what is refused. It holds rows rather than copies, so a request of a registered client makes no more allocations than
/// that of an unknown one.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) reason: RefusalReason,
    pub(crate) named: Named,
}

/// What the log names beside the reason.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Nothing,
    /// A tenant that does not serve.
    Tenant(Arc<Tenant>),
    /// The registered client that the request names without a proof.
    Client(Arc<Client>),
    /// The scope token that an authenticated client may not have.
    Scope(Box<ScopeToken>),
}

impl Refused {
    pub(crate) const fn because(reason: RefusalReason) -> Self {
        Self { reason, named: Named::Nothing }
    }

    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        if let Named::Tenant(tenant) = &self.named { Some(&tenant.id) } else { None }
    }

    pub(crate) fn claimed_client(&self) -> Option<&ClientId> {
        if let Named::Client(client) = &self.named { Some(&client.id) } else { None }
    }

    /// The scope token, unless it is long or a secret that was sent in the wrong parameter.
    pub(crate) fn scope(&self) -> Option<&str> {
        let Named::Scope(scope) = &self.named else { return None };
        Some(scope.as_str())
            .filter(|text| text.len() <= LONGEST_SCOPE && !GeneratedSecret::is_well_formed(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope_of(text: &str) -> Option<String> {
        let named = Named::Scope(Box::new(ScopeToken::parse(text).unwrap()));
        let refused = Refused { reason: RefusalReason::ScopeNotRegistered, named };
        refused.scope().map(str::to_owned)
    }

    #[test]
    fn a_scope_is_named_unless_it_may_be_a_secret() {
        for named in ["orders:raed", &"s".repeat(64)] {
            assert_eq!(scope_of(named).as_deref(), Some(named));
        }
        let secret = GeneratedSecret::from_bytes(&[1; 32]).secret;
        for unnamed in [secret.expose(), &"s".repeat(65)] {
            assert_eq!(scope_of(unnamed), None, "{unnamed}");
        }
    }
}
