//! What a person has granted to a client: what a code stands for, and tokens after it.

use protocol::{AuthorizationRequest, Timestamp};
use serde::{Deserialize, Serialize};

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
        Self {
            scope: request.scope.as_ref().map(ToString::to_string),
            resources: request.resources.iter().map(|resource| resource.as_str().to_owned()).collect(),
            nonce: request.nonce.clone(),
            ..Self::default()
        }
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
