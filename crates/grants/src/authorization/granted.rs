//! What a person has granted to a client: what a code stands for, and tokens after it.

use protocol::{AuthorizationRequest, ResourceIndicator, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use sessions::SignedIn;

/// What is granted, as it is kept with a code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Granted {
    /// The scope, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The requested resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// `nonce` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// When the person proved who it is.
    pub auth_time: u64,
    /// How well.
    pub acr: String,
    /// By what.
    pub amr: Vec<String>,
}

impl Granted {
    /// What the request asks for, before anyone has signed in.
    pub(crate) fn of(request: &AuthorizationRequest) -> Self {
        Self { nonce: request.nonce.clone(), ..Self::requested(request.scope.as_ref(), &request.resources) }
    }

    /// What is requested by a scope and resources.
    pub(crate) fn requested(scope: Option<&Scope>, resources: &[ResourceIndicator]) -> Self {
        Self {
            scope: scope.map(ToString::to_string),
            resources: resources.iter().map(|resource| resource.as_str().to_owned()).collect(),
            ..Self::default()
        }
    }

    /// The same, granted by this person.
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

    /// When the person proved who it is.
    #[must_use]
    pub const fn auth_time(&self) -> Timestamp {
        Timestamp::from_seconds(self.auth_time)
    }
}
