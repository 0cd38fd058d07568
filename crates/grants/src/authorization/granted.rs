//! What a person has granted to a client. A code stands for it, and the tokens follow from it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use protocol::{AuthorizationRequest, OFFLINE_ACCESS, RequestedClaim, ResourceIndicator, Scope, Thumbprint};
use registry::Client;
use serde::{Deserialize, Serialize};
use sessions::SignedIn;
use values::{Timestamp, skip_serializing_none};

use crate::userinfo::claims_of_scopes;

/// The content of a grant, as it is stored with a code.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Granted {
    /// The scope, if any.
    pub scope: Option<String>,
    /// The requested resources, as the client is registered with them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// `nonce` of the request.
    pub nonce: Option<String>,
    /// The claims that the userinfo endpoint returns beside those of the scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo_claims: Vec<String>,
    /// The claims about the person that the ID token has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token_claims: Vec<String>,
    /// The key that the code is bound to, if it is bound to one.
    pub dpop_jkt: Option<Thumbprint>,
    /// When the person proved who it is.
    pub auth_time: u64,
    /// How well.
    pub acr: String,
    /// The authentication methods.
    pub amr: Vec<String>,
}

impl Granted {
    /// What the request asks for, before a person has signed in. A claim is included if the client is
    /// registered for a scope that has it; other claims are left out.
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

    /// Removes the claims that belong to no scope of the client.
    pub(crate) fn with_claims_for(mut self, client: &Client) -> Self {
        let allowed: Vec<_> =
            claims_of_scopes(|scope| client.scope.iter().any(|token| token.as_str() == scope)).collect();
        for names in [&mut self.userinfo_claims, &mut self.id_token_claims] {
            names.retain(|name| allowed.contains(&name.as_str()));
        }
        self
    }

    /// What a client requests by a scope and resources. `offline_access` is left out if the client gets no
    /// refresh tokens: the server then "MUST ignore the offline_access request" (OpenID Connect Core §11).
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

    /// Adds the sign-in of the person who grants it.
    pub(crate) fn by(self, signed_in: &SignedIn) -> Self {
        let of = signed_in.session();
        Self { auth_time: of.authenticated_at.seconds(), acr: of.acr.clone(), amr: of.amr.clone(), ..self }
    }

    /// Whether the scope has this token.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scopes().any(|token| token == name)
    }

    /// The tokens of the scope.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split(' ').filter(|token| !token.is_empty())
    }

    /// What a person allows: the scope tokens, and each claim that none of them has. Scope tokens contain no
    /// blank, so the two kinds are distinct.
    pub fn permissions(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let of_scopes: Vec<_> = claims_of_scopes(|scope| self.has_scope(scope)).collect();
        let single = self.userinfo_claims.iter().chain(&self.id_token_claims);
        let single: BTreeSet<_> = single.filter(|name| !of_scopes.contains(&name.as_str())).collect();
        let single = single.into_iter().map(|name| Cow::Owned(format!("claim {name}")));
        self.scopes().map(Cow::Borrowed).chain(single)
    }

    /// The APIs that the tokens are for: the requested resources, otherwise the audiences of the client.
    #[must_use]
    pub fn apis<'a>(&'a self, client: &'a Client) -> &'a [String] {
        if self.resources.is_empty() { &client.audiences } else { &self.resources }
    }

    /// When the person proved who it is.
    #[must_use]
    pub const fn auth_time(&self) -> Timestamp {
        Timestamp::from_seconds(self.auth_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_allows_claims_that_no_scope_has() {
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
