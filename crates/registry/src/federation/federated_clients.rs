//! Finds the clients of a tenant that an assertion of another issuer may authenticate, for requests without
//! `client_id`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use keys::ClientJwt;
use tenancy::{StoreError, Tenant, TenantId, TrustedIssuer};

use crate::{ClientId, TextPattern, TrustRules};

/// The rules of all clients of a tenant, by issuer as the rules write it.
#[derive(Debug, PartialEq, Eq)]
pub struct FederatedClients {
    /// Its tenant; detects a store that returns another tenant's.
    pub tenant: TenantId,
    exact: HashMap<(String, String), BTreeSet<ClientId>>,
    patterns: HashMap<String, BTreeSet<(TextPattern, ClientId)>>,
    /// About how many bytes they are.
    pub bytes: usize,
}

/// Finds them.
#[async_trait]
pub trait FederatedClientStore: Send + Sync {
    /// The clients of this tenant with rules. If there are more than [`FederatedClients::MOST`], the result
    /// is empty, and each request must name its client.
    async fn find_federated_clients(&self, tenant: &TenantId) -> Result<Arc<FederatedClients>, StoreError>;
}

impl FederatedClients {
    /// A tenant may have this number of clients with rules before requests must name the client.
    pub const MOST: u32 = 10_000;

    /// The clients of a tenant, with their rules.
    #[must_use]
    pub fn new(tenant: TenantId, clients: Vec<(ClientId, TrustRules)>) -> Self {
        let mut all = Self { tenant, exact: HashMap::new(), patterns: HashMap::new(), bytes: 0 };
        if clients.len() > Self::MOST as usize {
            return all;
        }
        for (client, rules) in clients {
            for rule in rules.0 {
                all.bytes +=
                    2 * (rule.issuer.len() + rule.subject.as_str().len() + client.as_str().len() + 64);
                if rule.subject.is_exact() {
                    let key = (rule.issuer, rule.subject.as_str().to_owned());
                    all.exact.entry(key).or_default().insert(client.clone());
                } else {
                    all.patterns.entry(rule.issuer).or_default().insert((rule.subject, client.clone()));
                }
            }
        }
        all
    }

    /// The clients that have a rule for the issuer and the subject of an assertion.
    #[must_use]
    pub fn of(&self, tenant: &Tenant, jwt: &ClientJwt<'_>) -> BTreeSet<&ClientId> {
        let (iss, Some(sub)) = (jwt.unverified_issuer(), jwt.unverified_subject()) else {
            return BTreeSet::new();
        };
        let declared = tenant.trusted_issuers.iter().filter(|issuer| issuer.is_named(iss, sub));
        let names = declared.flat_map(|issuer| [issuer.name.as_str(), issuer.issuer.as_str()]);
        // An issuer that is found by discovery, and that the tenant has not declared.
        let undeclared = iss.filter(|iss| TrustedIssuer::find(&tenant.trusted_issuers, iss).is_some());
        let names: BTreeSet<&str> = names.chain(undeclared).collect();
        let mut found = BTreeSet::new();
        for name in names {
            found.extend(self.exact.get(&(name.to_owned(), sub.to_owned())).into_iter().flatten());
            let patterns = self.patterns.get(name).into_iter().flatten();
            found.extend(patterns.filter(|(subject, _)| subject.matches(sub)).map(|(_, client)| client));
        }
        found
    }
}
