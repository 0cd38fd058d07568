//! Answers: the members that the documented answer has, in its order. Members that only redirects and tokens need are kept and
//! not shown, as there.

use administration::{Application, ApplicationState};
use protocol::{GrantType, Scope, Secret};
use registry::Client;
use serde::Serialize;
use serde_json::Value;

use super::document::ApplicationDocument;
use super::request::without_nulls;
use super::{Shape, Spelling, ThunderError};

/// One application, whole, with its client's secret where that is new.
pub(super) fn application(state: &ApplicationState, spelling: Spelling) -> Result<Shape, ThunderError> {
    let ApplicationState { application, client, secret } = state;
    let document = &ApplicationDocument::of(application)?;
    let secret = secret.as_ref().map(Secret::expose);
    let mut members = Members::new(spelling);
    members.text("id", Some(application.id.to_string()));
    members.text("name", Some(document.name.clone()));
    members.text("description", document.description.clone());
    members.text("client_id", client.as_ref().map(|client| client.id.to_string()));
    members.text("client_secret", secret.map(str::to_owned));
    common(&mut members, document);
    members.text("recovery_flow_id", document.recovery_flow_id.clone());
    members.text("ou_id", document.ou_id.clone());
    members.text("url", document.url.clone());
    members.text("tos_uri", document.tos_uri.clone());
    members.text("policy_uri", document.policy_uri.clone());
    members.value("contacts", document.contacts.as_ref());
    members.value("allowed_user_types", document.allowed_user_types.as_ref());
    members.value("assertion", document.assertion.as_ref());
    members.value("certificate", document.certificate.as_ref());
    members.value("login_consent", document.login_consent.as_ref());
    members.own("metadata", document.metadata.clone());
    if let Some(client) = client {
        let mut inbound = Members::new(spelling);
        inbound.text("type", Some("oauth2".to_owned()));
        inbound.members.push(("config", config(client, document, secret, spelling)));
        members.members.push(("inbound_auth_config", Shape::Items(vec![inbound.shape()])));
    }
    Ok(members.shape())
}

/// A page of applications, and the number of all.
pub(super) fn list(total: u64, page: &[Application]) -> Result<Shape, ThunderError> {
    let count = |number: u64| Shape::Value(Spelling::Snake, Value::from(number));
    let item = |application: &Application| {
        let document = ApplicationDocument::of(application)?;
        let mut members = Members::new(Spelling::Snake);
        members.text("id", Some(application.id.to_string()));
        members.text("name", Some(application.name.clone()));
        members.text("description", document.description.clone());
        members.text("client_id", application.client.as_ref().map(ToString::to_string));
        common(&mut members, &document);
        Ok::<_, ThunderError>(members.shape())
    };
    let members = vec![
        ("totalResults", count(total)),
        ("count", count(page.len() as u64)),
        ("applications", Shape::Items(page.iter().map(item).collect::<Result<_, _>>()?)),
    ];
    Ok(Shape::Members(Spelling::Snake, members))
}

/// The members that a list shows, too.
fn common(members: &mut Members, document: &ApplicationDocument) {
    members.text("logo_url", document.logo_url.clone());
    members.text("auth_flow_id", document.auth_flow_id.clone());
    members.text("registration_flow_id", document.registration_flow_id.clone());
    members.value("is_registration_flow_enabled", document.is_registration_flow_enabled.as_ref());
    members.text("theme_id", document.theme_id.clone());
    members.text("layout_id", document.layout_id.clone());
    members.text("template", document.template.clone());
}

fn config(
    client: &Client,
    document: &ApplicationDocument,
    secret: Option<&str>,
    spelling: Spelling,
) -> Shape {
    let mut members = Members::new(spelling);
    members.text("client_id", Some(client.id.to_string()));
    members.text("client_secret", secret.map(str::to_owned));
    members.value("grant_types", Some(&grants(&client.grant_types)));
    members.text("token_endpoint_auth_method", Some(method(client, document)));
    members.value("scopes", Some(&scopes(&client.scope)));
    members.shape()
}

/// The registry has one method for basic and post. The answer has the name that was sent.
fn method(client: &Client, document: &ApplicationDocument) -> String {
    let named = document.oauth().and_then(|config| config.token_endpoint_auth_method.clone());
    let fits = |name: &String| name.parse() == Ok(client.authentication_method);
    named.filter(fits).unwrap_or_else(|| client.authentication_method.to_string())
}

fn grants(grants: &[GrantType]) -> Vec<&'static str> {
    grants.iter().map(|grant| grant.as_str()).collect()
}

fn scopes(scope: &Scope) -> Vec<&str> {
    scope.iter().map(protocol::ScopeToken::as_str).collect()
}

/// Members in the order of insertion, without absent ones.
struct Members {
    spelling: Spelling,
    members: Vec<(&'static str, Shape)>,
}

impl Members {
    fn new(spelling: Spelling) -> Self {
        Self { spelling, members: Vec::new() }
    }

    fn text(&mut self, name: &'static str, text: Option<String>) {
        self.members.extend(text.map(|text| (name, Shape::text(text))));
    }

    fn value(&mut self, name: &'static str, value: Option<&impl Serialize>) {
        let value = value.and_then(|value| serde_json::to_value(value).ok()).map(without_nulls);
        let spelling = self.spelling;
        self.members.extend(value.map(|value| (name, Shape::Value(spelling, value))));
    }

    /// A member whose value is not respelled.
    fn own(&mut self, name: &'static str, value: Option<Value>) {
        self.members.extend(value.map(|value| (name, Shape::Value(Spelling::Snake, value))));
    }

    fn shape(self) -> Shape {
        Shape::Members(self.spelling, self.members)
    }
}
