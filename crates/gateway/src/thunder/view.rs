//! Responses with the members of the documented response. Members of the code flow are shown if the client
//! has it. Members that only tokens need are stored and not shown, as in the documented API.

use administration::schema::JsonSchema;
use administration::{Application, ApplicationState, EditError};
use protocol::GrantType;
use registry::Client;
use serde::Serialize;

use super::document::{ApplicationDocument, Inbound, OauthConfig};

/// A page of applications.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Applications")]
pub(crate) struct ApplicationPage {
    total_results: u64,
    count: u64,
    applications: Vec<ApplicationDocument>,
}

/// One application, whole, with its client's secret where that is new.
pub(super) fn application(state: &ApplicationState) -> Result<ApplicationDocument, EditError> {
    let ApplicationState { application, client, secret } = state;
    let stored = ApplicationDocument::from_application(application)?;
    let client_id = client.as_ref().map(|client| client.id.to_string());
    let client_secret = secret.as_ref().map(|secret| secret.expose().to_owned());
    let inbound = client.as_ref().map(|client| Inbound {
        r#type: "oauth2".to_owned(),
        config: Some(OauthConfig {
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            grant_types: Some(client.grant_types.iter().map(ToString::to_string).collect()),
            token_endpoint_auth_method: Some(method(client, &stored)),
            scopes: Some(client.scope.iter().map(|token| token.as_str().to_owned()).collect()),
            ..OauthConfig::of_code_flow(client)
        }),
    });
    Ok(ApplicationDocument {
        id: Some(application.id.to_string()),
        client_id,
        client_secret,
        inbound_auth_config: inbound.map(|inbound| vec![inbound]),
        ..stored
    })
}

/// A page of applications, and the number of all.
pub(super) fn list(total: u64, page: &[Application]) -> Result<ApplicationPage, EditError> {
    let listed = |application: &Application| {
        Ok(ApplicationDocument {
            id: Some(application.id.to_string()),
            client_id: application.client.as_ref().map(ToString::to_string),
            recovery_flow_id: None,
            ou_id: None,
            url: None,
            tos_uri: None,
            policy_uri: None,
            contacts: None,
            allowed_user_types: None,
            assertion: None,
            certificate: None,
            login_consent: None,
            metadata: None,
            inbound_auth_config: None,
            ..ApplicationDocument::from_application(application)?
        })
    };
    let applications = page.iter().map(listed).collect::<Result<Vec<_>, EditError>>()?;
    Ok(ApplicationPage { total_results: total, count: page.len() as u64, applications })
}

impl OauthConfig {
    /// What only a client of the grant `authorization_code` shows. A client that an earlier version
    /// made has no redirect URIs.
    pub(super) fn of_code_flow(client: &Client) -> Self {
        if !client.grant_types.contains(&GrantType::AuthorizationCode) {
            return Self::default();
        }
        let redirect_uris = client.code_flow.redirect_uris.clone();
        Self {
            redirect_uris: (!redirect_uris.is_empty()).then_some(redirect_uris),
            response_types: Some(vec!["code".to_owned()]),
            pkce_required: Some(client.code_flow.require_pkce),
            public_client: Some(client.is_public()),
            ..Self::default()
        }
    }
}

/// The registry has one method for basic and post. The answer has the name that was sent.
fn method(client: &Client, document: &ApplicationDocument) -> String {
    let named = document.oauth().and_then(|config| config.token_endpoint_auth_method.clone());
    let fits = |name: &String| name.parse() == Ok(client.authentication_method);
    named.filter(fits).unwrap_or_else(|| client.authentication_method.to_string())
}
