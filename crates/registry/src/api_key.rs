//! API keys: credentials of one client. The text of a key is opaque and contains the key's id, so a request
//! with a key needs no client id. A key may have fewer scopes and audiences than its client.

use protocol::{GrantType, Scope};
use secrets::SecretHash;
use serde::{Deserialize, Serialize};
use tenancy::TenantId;
use values::{Timestamp, skip_serializing_none};

use crate::{ApiKeyId, Client, ClientId};

/// A key as it is stored, without its text.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The tenant. Detects a store that returns another tenant's key.
    pub tenant: TenantId,
    pub id: ApiKeyId,
    pub client: ClientId,
    /// The hash of the whole text.
    pub hash: SecretHash,
    /// The last four characters of the text.
    pub hint: String,
    /// The display name.
    pub name: String,
    /// Labels for people and resource servers.
    pub labels: Vec<String>,
    /// The client's customer who uses the key, as an id that the client chose.
    pub owner: Option<String>,
    /// The maximum scope of tokens for the key, at most that of the client.
    pub scope: Scope,
    /// The audiences that the key may request, at most those of the client. If the list is empty, tokens are
    /// for the client itself.
    pub audiences: Vec<String>,
    pub created_at: Timestamp,
    /// The first second in which the key is not valid.
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// The key that replaced this key in a rotation.
    pub replaced_by: Option<ApiKeyId>,
}

impl ApiKey {
    /// Creates a key without scope and audience. The key is expired until the caller sets `expires_at`.
    #[must_use]
    pub fn new(client: &Client, id: ApiKeyId, hash: SecretHash, hint: String, now: Timestamp) -> Self {
        Self {
            tenant: client.tenant.clone(),
            id,
            client: client.id.clone(),
            hash,
            hint,
            name: String::new(),
            labels: Vec::new(),
            owner: None,
            scope: Scope::default(),
            audiences: Vec::new(),
            created_at: now,
            expires_at: now,
            revoked_at: None,
            replaced_by: None,
        }
    }

    /// Whether the key is valid now. Every request must check this, even for a cached key. A revocation
    /// applies immediately, even if `revoked_at` is in the future, because the clock of the replica that
    /// wrote it may be fast.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.revoked_at.map_or(self.expires_at, |at| at.min(self.expires_at))
    }

    /// The client restricted to what the key may use: the client credentials grant, and the scopes and
    /// audiences that the client and the key share. `None` if the client no longer has any audience of the
    /// key. In that case a token for the client itself would be wrong, because the key never allowed such a
    /// token.
    #[must_use]
    pub fn narrowed(&self, client: &Client) -> Option<Client> {
        let registered = self.audiences.iter().filter_map(|audience| client.resource_named(audience));
        let mut audiences: Vec<String> = Vec::with_capacity(self.audiences.len());
        for name in registered {
            if !audiences.contains(name) {
                audiences.push(name.clone());
            }
        }
        if audiences.is_empty() && !self.audiences.is_empty() {
            return None;
        }
        let is_granted = |token: &&_| self.scope.contains(token) && client.scope.contains(token);
        Some(Client {
            grant_types: client
                .grant_types
                .iter()
                .copied()
                .filter(|grant_type| *grant_type == GrantType::ClientCredentials)
                .collect(),
            audiences,
            resources: Vec::new(),
            scope: self.scope.iter().filter(is_granted).cloned().collect(),
            secrets: Vec::new(),
            keys: None,
            ..client.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use values::Timestamp;

    use super::*;
    use crate::InvalidApiKeyId;

    fn key(scope: &str, audiences: &[&str]) -> ApiKey {
        let svc = Client::new(TenantId::parse("acme").unwrap(), ClientId::parse("svc").unwrap());
        let (id, hash) = ("4fT9xQ2bV7mK".parse().unwrap(), SecretHash::token([1; 32]));
        ApiKey {
            scope: Scope::parse(scope).unwrap(),
            audiences: audiences.iter().map(|text| (*text).to_owned()).collect(),
            expires_at: Timestamp::from_seconds(100),
            revoked_at: Some(Timestamp::from_seconds(50)),
            ..ApiKey::new(&svc, id, hash, String::new(), Timestamp::from_seconds(1))
        }
    }

    #[test]
    fn key_never_exceeds_its_client() {
        let client = Client {
            scope: Scope::parse("read write").unwrap(),
            audiences: vec!["api".to_owned()],
            resources: vec!["https://orders.example".to_owned()],
            grant_types: vec![GrantType::AuthorizationCode, GrantType::ClientCredentials],
            ..Client::new(key("", &[]).tenant, key("", &[]).client)
        };
        let check = |scope: &str, audiences: &[&str], expected: Option<(&str, &[&str])>| {
            let narrowed = key(scope, audiences).narrowed(&client);
            let found = narrowed.as_ref().map(|client| {
                assert_eq!(client.grant_types, [GrantType::ClientCredentials]);
                assert_eq!(client.resources, [""; 0]);
                (client.scope.to_string(), client.audiences.clone())
            });
            let expected = expected.map(|(scope, audiences)| {
                (scope.to_owned(), audiences.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
            });
            assert_eq!(found, expected, "{scope} {audiences:?}");
        };
        check("write read", &["api"], Some(("write read", &["api"])));
        check("read admin", &["https://orders.example", "gone"], Some(("read", &["https://orders.example"])));
        check("gone", &["api"], Some(("", &["api"])));
        check("read", &["https://Orders.example:443/"], Some(("read", &["https://orders.example"])));
        check("read", &[], Some(("read", &[])));
        check("read", &["gone"], None);
    }

    #[test]
    fn expired_or_revoked_key_is_not_live() {
        let key = key("", &[]);
        let at = Timestamp::from_seconds;
        assert!(!key.is_live(at(49)), "the clock of the replica that has revoked it may be ahead");
        let key = ApiKey { revoked_at: None, ..key };
        assert!(key.is_live(at(99)) && !key.is_live(at(100)));
    }

    #[test]
    fn key_id_has_twelve_letters_and_digits() {
        for bad in ["", "4fT9xQ2bV7m", "4fT9xQ2bV7mKK", "4fT9xQ2bV7m-", "4fT9xQ2bV7é"] {
            assert_eq!(bad.parse::<ApiKeyId>(), Err(InvalidApiKeyId), "{bad}");
            assert!(serde_json::from_value::<ApiKeyId>(bad.into()).is_err());
        }
    }
}
