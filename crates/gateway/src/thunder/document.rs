//! The members of an application, in snake case and without its secret. Members without effect are kept and shown; unknown members are ignored.

use std::sync::LazyLock;

use administration::{Application, EditError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An application's members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ApplicationDocument {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_flow_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) registration_flow_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recovery_flow_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_registration_flow_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ou_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) theme_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layout_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logo_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tos_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contacts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_user_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assertion: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<Certificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) login_consent: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inbound_auth_config: Option<Vec<Inbound>>,
}

/// The application's certificate. It is kept and has no effect yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Certificate {
    pub(crate) r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
}

/// One way in which the application authenticates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Inbound {
    pub(crate) r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<OauthConfig>,
}

/// The application's client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OauthConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirect_uris: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grant_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_endpoint_auth_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pkce_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) public_client: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Token>,
}

/// Settings of the client's tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Token {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_token: Option<AccessToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<Value>,
}

/// Settings of the client's access tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AccessToken {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validity_period: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_attributes: Option<Vec<String>>,
}

/// A document with every member, each with a value of its type; null stands for any type.
pub(crate) fn example() -> &'static Value {
    static EXAMPLE: LazyLock<Value> = LazyLock::new(|| {
        let text = || Some(String::new());
        let texts = || Some(vec![String::new()]);
        let token = Token {
            issuer: text(),
            access_token: Some(AccessToken { validity_period: Some(0), user_attributes: texts() }),
            id_token: Some(Value::Null),
            refresh_token: Some(Value::Null),
        };
        let config = OauthConfig {
            client_id: text(),
            redirect_uris: texts(),
            grant_types: texts(),
            response_types: texts(),
            token_endpoint_auth_method: text(),
            pkce_required: Some(true),
            public_client: Some(true),
            scopes: texts(),
            token: Some(token),
        };
        json!(ApplicationDocument {
            name: String::new(),
            description: text(),
            auth_flow_id: text(),
            registration_flow_id: text(),
            recovery_flow_id: text(),
            is_registration_flow_enabled: Some(true),
            ou_id: text(),
            theme_id: text(),
            layout_id: text(),
            template: text(),
            url: text(),
            logo_url: text(),
            tos_uri: text(),
            policy_uri: text(),
            contacts: texts(),
            allowed_user_types: texts(),
            assertion: Some(Value::Null),
            certificate: Some(Certificate { r#type: String::new(), value: text() }),
            login_consent: Some(Value::Null),
            metadata: Some(Value::Null),
            inbound_auth_config: Some(vec![Inbound { r#type: String::new(), config: Some(config) }]),
        })
    });
    &EXAMPLE
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
