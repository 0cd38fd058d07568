//! The members of an application in snake case, for requests, responses and the store. Members
//! without effect are stored and returned. Unknown members are ignored.

use administration::documents::application::Application;
use administration::documents::schema::JsonSchema;
use administration::edit::EditError;
use registry::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use values::skip_serializing_none;

/// An application. Members without an effect are stored and returned.
// Answers have the members in this order. Only answers have `id`, `client_id` and `client_secret`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["name"]))]
pub(crate) struct ApplicationDocument {
    #[serde(skip_deserializing)]
    pub(crate) id: Option<String>,
    /// Unique in its tenant.
    #[schemars(example = &"Backend Service")]
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    #[serde(skip_deserializing)]
    pub(crate) client_id: Option<String>,
    #[serde(skip_deserializing)]
    pub(crate) client_secret: Option<String>,
    pub(crate) logo_url: Option<String>,
    pub(crate) auth_flow_id: Option<String>,
    pub(crate) registration_flow_id: Option<String>,
    pub(crate) is_registration_flow_enabled: Option<bool>,
    pub(crate) theme_id: Option<String>,
    pub(crate) layout_id: Option<String>,
    pub(crate) template: Option<String>,
    pub(crate) recovery_flow_id: Option<String>,
    pub(crate) ou_id: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) tos_uri: Option<String>,
    pub(crate) policy_uri: Option<String>,
    pub(crate) contacts: Option<Vec<String>>,
    pub(crate) allowed_user_types: Option<Vec<String>>,
    pub(crate) assertion: Option<Value>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) login_consent: Option<Value>,
    pub(crate) metadata: Option<Value>,
    pub(crate) inbound_auth_config: Option<Vec<Inbound>>,
}

/// The application's certificate. It is stored, but has no effect yet.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "ApplicationCertificate")]
pub(crate) struct Certificate {
    pub(crate) r#type: String,
    pub(crate) value: Option<String>,
}

/// How the application gets tokens; at most one entry.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["type", "config"]))]
pub(crate) struct Inbound {
    /// Always `oauth2`.
    #[schemars(example = &"oauth2")]
    pub(crate) r#type: String,
    #[schemars(with = "OauthConfig")]
    pub(crate) config: Option<OauthConfig>,
}

/// The application's client.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct OauthConfig {
    /// Generated if absent.
    pub(crate) client_id: Option<String>,
    /// Generated if absent.
    // The request's secret is taken out of the text before this is read.
    #[serde(skip_deserializing)]
    #[schemars(!skip_deserializing, extend("format" = "password"))]
    pub(crate) client_secret: Option<String>,
    /// The URIs to which people return after sign-in. Responses contain it and the next three members only
    /// for the grant type authorization_code.
    pub(crate) redirect_uris: Option<Vec<String>>,
    #[schemars(extend("examples" = [["client_credentials"]]))]
    pub(crate) grant_types: Option<Vec<String>>,
    pub(crate) response_types: Option<Vec<String>>,
    #[schemars(example = &"client_secret_basic")]
    pub(crate) token_endpoint_auth_method: Option<String>,
    /// Whether each authorization request must have a code challenge. Public clients always need one.
    pub(crate) pkce_required: Option<bool>,
    pub(crate) public_client: Option<bool>,
    pub(crate) scopes: Option<Vec<String>>,
    #[schemars(extend("writeOnly" = true))]
    pub(crate) token: Option<TokenDocument>,
}

/// Settings of the client's tokens.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "ApplicationToken")]
pub(crate) struct TokenDocument {
    pub(crate) issuer: Option<String>,
    pub(crate) access_token: Option<AccessTokenDocument>,
    pub(crate) id_token: Option<Value>,
    pub(crate) refresh_token: Option<Value>,
}

/// Settings of the client's access tokens.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "ApplicationAccessToken")]
pub(crate) struct AccessTokenDocument {
    pub(crate) validity_period: Option<u64>,
    pub(crate) user_attributes: Option<Vec<String>>,
}

impl ApplicationDocument {
    pub(crate) fn from_application(application: &Application) -> Result<Self, EditError> {
        Self::deserialize(&application.document).map_err(|error| EditError::Unreadable(Box::new(error)))
    }

    /// The settings of the application's client, if it has one.
    pub(crate) fn oauth(&self) -> Option<&OauthConfig> {
        self.inbound_auth_config.as_ref()?.first()?.config.as_ref()
    }

    pub(crate) fn oauth_mut(&mut self) -> Option<&mut OauthConfig> {
        self.inbound_auth_config.as_mut()?.first_mut()?.config.as_mut()
    }

    /// Completes a replacement of `before`. Responses do not always show all members, so callers
    /// cannot send them back. Such members keep the value of the client, or else of `before`.
    pub(crate) fn keeping_unseen(mut self, before: &Self, client: Option<&Client>) -> Self {
        if self.inbound_auth_config.is_none() {
            self.inbound_auth_config.clone_from(&before.inbound_auth_config);
            return self;
        }
        if let (Some(after), Some(before)) = (self.oauth_mut(), before.oauth()) {
            keep(&mut after.client_id, &before.client_id);
            let shown = client.map(OauthConfig::of_code_flow).unwrap_or_default();
            keep(&mut after.redirect_uris, &shown.redirect_uris);
            keep(&mut after.pkce_required, &shown.pkce_required);
            keep(&mut after.redirect_uris, &before.redirect_uris);
            keep(&mut after.response_types, &before.response_types);
            keep(&mut after.pkce_required, &before.pkce_required);
            keep(&mut after.public_client, &before.public_client);
            keep(&mut after.token, &before.token);
        }
        self
    }
}

fn keep<T: Clone>(after: &mut Option<T>, before: &Option<T>) {
    if after.is_none() {
        after.clone_from(before);
    }
}
