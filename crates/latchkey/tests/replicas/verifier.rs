//! Checks tokens like a resource server, with key sets that were fetched once. If replicas had different
//! keys, some tokens would be refused.

use std::collections::HashMap;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;

use crate::test_env::{Replica, TENANTS};

#[derive(Clone)]
pub(crate) struct Verifier(HashMap<&'static str, (DecodingKey, Validation)>);

impl Verifier {
    /// A verifier with the only published key of each tenant. Each tenant must have issued its first token.
    pub(crate) async fn from_replica(replica: &Replica) -> Self {
        let mut keys = HashMap::new();
        for tenant in TENANTS {
            let set: JwkSet = serde_json::from_str(&replica.program.jwks(tenant).await.body).unwrap();
            let [key]: [Jwk; 1] = set.keys.try_into().unwrap();
            let algorithm = if tenant == "acme" { Algorithm::RS256 } else { Algorithm::ES256 };
            let mut validation = Validation::new(algorithm);
            validation.set_audience(&["api"]);
            validation.set_issuer(&[format!("http://localhost:3000/api/v1/tenant/{tenant}")]);
            keys.insert(tenant, (DecodingKey::from_jwk(&key).unwrap(), validation));
        }
        Self(keys)
    }

    /// Why this is not a token of this tenant's client. `None` if it is.
    pub(crate) fn objection(&self, tenant: &str, client: &str, token: &str) -> Option<String> {
        let (key, validation) = &self.0[tenant];
        match decode::<Value>(token, key, validation) {
            Err(error) => Some(format!("{tenant}/{client}: {error}")),
            Ok(token) if token.claims["client_id"] != client || token.claims["sub"] != client => {
                Some(format!("{tenant}/{client}: a token of {}", token.claims["client_id"]))
            }
            Ok(_) => None,
        }
    }
}
