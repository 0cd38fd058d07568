//! Answers: the members that the documented answer has, in its order. Members that only redirects and tokens need are kept and
//! not shown, as there.

use administration::{Application, ApplicationState};
use protocol::{ScopeToken, Secret};
use registry::Client;
use serde_json::Value;

use super::document::ApplicationDocument;
use super::request::without_nulls;
use super::{Shape, Spelling, ThunderError};

/// The kept members that a list shows, too, in their order.
const LISTED: [&str; 7] = [
    "logo_url",
    "auth_flow_id",
    "registration_flow_id",
    "is_registration_flow_enabled",
    "theme_id",
    "layout_id",
    "template",
];

/// The other kept members, in their order.
const SHOWN_ALONE: [&str; 11] = [
    "recovery_flow_id",
    "ou_id",
    "url",
    "tos_uri",
    "policy_uri",
    "contacts",
    "allowed_user_types",
    "assertion",
    "certificate",
    "login_consent",
    "metadata",
];

/// One application, whole, with its client's secret where that is new.
pub(super) fn application(state: &ApplicationState, spelling: Spelling) -> Result<Shape, ThunderError> {
    let ApplicationState { application, client, secret } = state;
    let document = &ApplicationDocument::of(application)?;
    let secret = secret.as_ref().map(Secret::expose);
    let mut members = Members::new(spelling);
    members.text("id", Some(application.id.to_string()));
    members.text("name", Some(document.name.clone()));
    members.kept(&application.document, &["description"]);
    members.text("client_id", client.as_ref().map(|client| client.id.to_string()));
    members.text("client_secret", secret.map(str::to_owned));
    members.kept(&application.document, &LISTED);
    members.kept(&application.document, &SHOWN_ALONE);
    if let Some(client) = client {
        let mut inbound = Members::new(spelling);
        inbound.text("type", Some("oauth2".to_owned()));
        inbound.members.push(("config", config(client, document, secret, spelling)));
        members.members.push(("inbound_auth_config", Shape::Items(vec![inbound.shape()])));
    }
    Ok(members.shape())
}

/// A page of applications, and the number of all.
pub(super) fn list(total: u64, page: &[Application]) -> Shape {
    let count = |number: u64| Shape::Value(Spelling::Snake, Value::from(number));
    let item = |application: &Application| {
        let mut members = Members::new(Spelling::Snake);
        members.text("id", Some(application.id.to_string()));
        members.text("name", Some(application.name.clone()));
        members.kept(&application.document, &["description"]);
        members.text("client_id", application.client.as_ref().map(ToString::to_string));
        members.kept(&application.document, &LISTED);
        members.shape()
    };
    let members = vec![
        ("totalResults", count(total)),
        ("count", count(page.len() as u64)),
        ("applications", Shape::Items(page.iter().map(item).collect())),
    ];
    Shape::Members(Spelling::Snake, members)
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
    members.list("grant_types", client.grant_types.iter().map(|grant_type| grant_type.as_str()));
    members.text("token_endpoint_auth_method", Some(method(client, document)));
    members.list("scopes", client.scope.iter().map(ScopeToken::as_str));
    members.shape()
}

/// The registry has one method for basic and post. The answer has the name that was sent.
fn method(client: &Client, document: &ApplicationDocument) -> String {
    let named = document.oauth().and_then(|config| config.token_endpoint_auth_method.clone());
    let fits = |name: &String| name.parse() == Ok(client.authentication_method);
    named.filter(fits).unwrap_or_else(|| client.authentication_method.to_string())
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

    fn list<'a>(&mut self, name: &'static str, items: impl Iterator<Item = &'a str>) {
        self.members.push((name, Shape::Items(items.map(Shape::text).collect())));
    }

    /// Members of the kept document. The value of `metadata` is the caller's and is not respelled.
    fn kept(&mut self, document: &Value, names: &[&'static str]) {
        for name in names {
            let Some(value) = document.get(name).filter(|value| !value.is_null()) else { continue };
            let spelling = if *name == "metadata" { Spelling::Snake } else { self.spelling };
            self.members.push((name, Shape::Value(spelling, without_nulls(value.clone()))));
        }
    }

    fn shape(self) -> Shape {
        Shape::Members(self.spelling, self.members)
    }
}
