//! The members of an application, in snake case and without its secret. Members without effect are kept and shown; unknown
//! members are ignored.

use administration::{Application, EditError};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An application. Members without effect are kept and shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["name"]), transform = add_shown)]
pub(crate) struct ApplicationDocument {
    /// Unique in its tenant.
    #[schemars(example = &"Backend Service")]
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) auth_flow_id: Option<String>,
    pub(crate) registration_flow_id: Option<String>,
    pub(crate) recovery_flow_id: Option<String>,
    pub(crate) is_registration_flow_enabled: Option<bool>,
    pub(crate) ou_id: Option<String>,
    pub(crate) theme_id: Option<String>,
    pub(crate) layout_id: Option<String>,
    pub(crate) template: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) logo_url: Option<String>,
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

/// The application's certificate. It is kept and has no effect yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "ApplicationCertificate")]
pub(crate) struct Certificate {
    pub(crate) r#type: String,
    pub(crate) value: Option<String>,
}

/// How the application gets tokens; one at most.
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(transform = add_secret)]
pub(crate) struct OauthConfig {
    /// Generated where it is absent.
    pub(crate) client_id: Option<String>,
    #[schemars(extend("writeOnly" = true))]
    pub(crate) redirect_uris: Option<Vec<String>>,
    #[schemars(extend("examples" = [["client_credentials"]]))]
    pub(crate) grant_types: Option<Vec<String>>,
    #[schemars(extend("writeOnly" = true))]
    pub(crate) response_types: Option<Vec<String>>,
    #[schemars(example = &"client_secret_basic")]
    pub(crate) token_endpoint_auth_method: Option<String>,
    #[schemars(extend("writeOnly" = true))]
    pub(crate) pkce_required: Option<bool>,
    #[schemars(extend("writeOnly" = true))]
    pub(crate) public_client: Option<bool>,
    pub(crate) scopes: Option<Vec<String>>,
    #[schemars(extend("writeOnly" = true))]
    pub(crate) token: Option<Token>,
}

/// Settings of the client's tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "ApplicationToken")]
pub(crate) struct Token {
    pub(crate) issuer: Option<String>,
    pub(crate) access_token: Option<AccessToken>,
    pub(crate) id_token: Option<Value>,
    pub(crate) refresh_token: Option<Value>,
}

/// Settings of the client's access tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "ApplicationAccessToken")]
pub(crate) struct AccessToken {
    pub(crate) validity_period: Option<u64>,
    pub(crate) user_attributes: Option<Vec<String>>,
}

/// The members that answers add.
fn add_shown(schema: &mut Schema) {
    for name in ["id", "client_id", "client_secret"] {
        add(schema, name, json!({ "type": "string", "readOnly": true }));
    }
}

/// The secret is a member of requests and answers, and never of the document.
fn add_secret(schema: &mut Schema) {
    let description = "Generated where it is absent.";
    let secret = json!({ "type": "string", "format": "password", "description": description });
    add(schema, "client_secret", secret);
}

fn add(schema: &mut Schema, name: &str, member: Value) {
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        members.insert(name.to_owned(), member);
    }
}

impl ApplicationDocument {
    /// The stored document of an application.
    pub(crate) fn of(application: &Application) -> Result<Self, EditError> {
        serde_json::from_value(application.document.clone())
            .map_err(|error| EditError::Unreadable(Box::new(error)))
    }

    /// The settings of its client, if it has one.
    pub(crate) fn oauth(&self) -> Option<&OauthConfig> {
        self.inbound_auth_config.as_ref()?.first()?.config.as_ref()
    }

    pub(crate) fn oauth_mut(&mut self) -> Option<&mut OauthConfig> {
        self.inbound_auth_config.as_mut()?.first_mut()?.config.as_mut()
    }

    /// Replaces `before`. Members that answers do not show, and that callers therefore do not send, keep their values.
    pub(crate) fn keeping_unseen(mut self, before: &Self) -> Self {
        if self.inbound_auth_config.is_none() {
            self.inbound_auth_config.clone_from(&before.inbound_auth_config);
            return self;
        }
        if let (Some(after), Some(before)) = (self.oauth_mut(), before.oauth()) {
            keep(&mut after.client_id, &before.client_id);
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
