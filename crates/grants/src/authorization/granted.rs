//! What a person has granted to a client. The code stores it, and all tokens of the grant are
//! derived from it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use protocol::{AuthorizationRequest, OFFLINE_ACCESS, RequestedClaim, ResourceIndicator, Scope, Thumbprint};
use registry::Client;
use serde::{Deserialize, Serialize};
use sessions::SignedIn;
use values::{Timestamp, skip_serializing_none};

use crate::userinfo::claims_of_scopes;

#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Granted {
    pub scope: Option<String>,
    /// In the spelling that the client is registered with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    pub nonce: Option<String>,
    /// Claims that the userinfo endpoint returns in addition to those of the scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo_claims: Vec<String>,
    /// Claims that the client requested for the ID token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token_claims: Vec<String>,
    /// The DPoP key that the code is bound to.
    pub dpop_jkt: Option<Thumbprint>,
    /// When the person authenticated, in seconds since 1970.
    pub auth_time: u64,
    /// The authentication context class of that sign-in.
    pub acr: String,
    pub amr: Vec<String>,
}

impl Granted {
    /// The grant that a request asks for, before the person has signed in. Drops claims of scopes
    /// that the client is not registered for.
    pub(crate) fn new(request: &AuthorizationRequest, client: &Client) -> Self {
        let names = |claims: &BTreeMap<String, RequestedClaim>| claims.keys().cloned().collect();
        Self {
            userinfo_claims: names(&request.claims.userinfo),
            id_token_claims: names(&request.claims.id_token),
            nonce: request.nonce.clone(),
            dpop_jkt: request.dpop_jkt,
            ..Self::requested(request.scope.as_ref(), &request.resources, client)
        }
        .with_claims_for(client)
    }

    /// Drops the claims of scopes that the client is not registered for.
    pub(crate) fn with_claims_for(mut self, client: &Client) -> Self {
        let allowed: Vec<_> =
            claims_of_scopes(|scope| client.scope.iter().any(|token| token.as_str() == scope)).collect();
        for names in [&mut self.userinfo_claims, &mut self.id_token_claims] {
            names.retain(|name| allowed.contains(&name.as_str()));
        }
        self
    }

    /// The grant of a request without claims. Drops `offline_access` if the client gets no refresh
    /// tokens: the server then "MUST ignore the offline_access request" (OpenID Connect Core §11).
    pub(crate) fn requested(scope: Option<&Scope>, resources: &[ResourceIndicator], client: &Client) -> Self {
        let scope = scope.into_iter().flat_map(Scope::iter);
        let scope = scope.filter(|token| client.gets_refresh_tokens() || token.as_str() != OFFLINE_ACCESS);
        let mut registered: Vec<String> = Vec::with_capacity(resources.len());
        for name in resources.iter().filter_map(|resource| client.resource(resource)) {
            if !registered.iter().any(|known| known == name) {
                registered.push(name.to_owned());
            }
        }
        Self { scope: Scope::text(scope), resources: registered, ..Self::default() }
    }

    /// Adds the time and the method of the person's sign-in.
    pub(crate) fn by(self, signed_in: &SignedIn) -> Self {
        let of = signed_in.session();
        Self { auth_time: of.authenticated_at.seconds(), acr: of.acr.clone(), amr: of.amr.clone(), ..self }
    }

    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scopes().any(|token| token == name)
    }

    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split(' ').filter(|token| !token.is_empty())
    }

    /// The permissions for the consent page: the scope tokens, and each claim that no scope token
    /// includes. Scope tokens contain no blank, so the two kinds cannot be confused.
    pub fn permissions(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let of_scopes: Vec<_> = claims_of_scopes(|scope| self.has_scope(scope)).collect();
        let single = self.userinfo_claims.iter().chain(&self.id_token_claims);
        let single: BTreeSet<_> = single.filter(|name| !of_scopes.contains(&name.as_str())).collect();
        let single = single.into_iter().map(|name| Cow::Owned(format!("claim {name}")));
        self.scopes().map(Cow::Borrowed).chain(single)
    }

    /// The APIs that accept the tokens: the requested resources, or the client's audiences if none
    /// was requested.
    #[must_use]
    pub fn apis<'a>(&'a self, client: &'a Client) -> &'a [String] {
        if self.resources.is_empty() { &client.audiences } else { &self.resources }
    }

    /// When the person authenticated.
    #[must_use]
    pub const fn auth_time(&self) -> Timestamp {
        Timestamp::from_seconds(self.auth_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_include_claims_outside_granted_scopes() {
        let names = |claims: &[&str]| claims.iter().map(|name| (*name).to_owned()).collect();
        let granted = Granted {
            scope: Some("openid email".to_owned()),
            userinfo_claims: names(&["email", "name"]),
            id_token_claims: names(&["name", "phone_number"]),
            ..Granted::default()
        };
        let permissions: Vec<_> = granted.permissions().collect();
        assert_eq!(permissions, ["openid", "email", "claim name", "claim phone_number"]);
    }
}
