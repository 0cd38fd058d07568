//! The applications of a tenant, which are its clients: a list in pages, and a form for a new one.

use actix_web::HttpResponse;
use administration::{ClientView, EditError, NewClient, Permission, TenantView};
use pages::console::{Block, Choice, Field, HtmlForm, Input};
use pages::{Column, Meaning, Table};
use serde_json::{Value, json};
use tenancy::Tenant;

use super::created::{self, idempotent};
use super::form::FormFields;
use super::overview::permitted;
use super::shown::{List, RefusedForm, link, outcome, status, time};
use super::tenants::ROWS;
use super::visit::ConsoleVisit;
use crate::page::PageResult;

/// The kinds of applications: the stored purpose of the client, its name, and its description.
const PURPOSES: [(&str, &str, &str); 3] = [
    (
        "machine_to_machine",
        "Machine to machine",
        "A program that calls an API by itself, such as a backend or a scheduled job.",
    ),
    (
        "service_account",
        "Service account",
        "The identity of a workload: one for each service, with keys or API keys of its own.",
    ),
    ("api", "API", "A service that checks the tokens of its callers, and asks about them by introspection."),
];

/// The applications, by their ids or by a search.
pub(super) async fn list(visit: &ConsoleVisit<'_>) -> PageResult {
    let (tenant, search, cursor) = (visit.tenant(), visit.parameter("search"), visit.parameter("cursor"));
    let administrator = visit.administrator();
    let found =
        administrator.of(&visit.caller, &tenant).clients(search.as_deref(), cursor.as_deref(), ROWS).await;
    let list = List {
        title: "Applications",
        path: "/applications",
        search: "Search in ids and names",
        new: "New application",
        none: (
            "No applications",
            "An application is a program that fetches tokens of this tenant, or checks them.",
        ),
        rows: "clients",
    };
    list.show(visit, found, |clients| Block::Table(table(clients, |id| visit.application(id, ""))))
}

fn table(clients: &[ClientView], path: impl Fn(&str) -> String) -> Table {
    let row = |view: &ClientView| {
        vec![
            link(&*view.client_id, path(&view.client_id)),
            pages::Value::Text(view.settings.name.clone().unwrap_or_default()),
            pages::Value::Text(purpose(view).to_owned()),
            status(&view.status),
            pages::Value::Codes(view.settings.scopes.clone()),
            pages::Value::Number(view.live_secrets.into()),
            time(view.updated_at),
        ]
    };
    let mut columns = ["Id", "Name", "Kind", "Status", "Scopes"].map(Column::from_heading).to_vec();
    columns.extend([Column::of_numbers("Live secrets"), Column::from_heading("Changed")]);
    Table { caption: "Applications".to_owned(), columns, rows: clients.iter().map(row).collect() }
}

/// The name of a client's purpose for people.
pub(super) fn purpose(view: &ClientView) -> &'static str {
    let kept = view.settings.purpose.as_deref();
    PURPOSES.iter().find(|(name, ..)| Some(*name) == kept).map_or("", |(_, label, _)| label)
}

/// The form of a new application.
pub(super) async fn new(visit: &ConsoleVisit<'_>) -> PageResult {
    visit.require_here(Permission::Clients)?;
    let tenant = tenant(visit).await?;
    Ok(form(visit, tenant.as_ref(), &FormFields::read(b""), &RefusedForm::default()))
}

/// Creates the application, and shows its secret.
pub(super) async fn create(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    visit.require_here(Permission::Clients)?;
    let (tenant_id, document) = (visit.tenant(), document(fields));
    let created = match NewClient::read(document.clone()) {
        Ok(new) => {
            let caller = idempotent(visit, fields, &document);
            visit.administrator().of(&caller, &tenant_id).create_client(new).await
        }
        Err(errors) => Err(EditError::Invalid(errors)),
    };
    match outcome(created)? {
        Ok(created) => {
            let endpoint = token_endpoint(visit);
            Ok(created::client_page(visit, "Applications", &visit.path(""), &endpoint, &created.value))
        }
        Err(refused) => Ok(form(visit, tenant(visit).await?.as_ref(), fields, &refused)),
    }
}

/// The URL of the tenant's token endpoint.
pub(super) fn token_endpoint(visit: &ConsoleVisit<'_>) -> String {
    format!("{}/api/v1/tenant/{}/oauth/token", visit.administrator().public_url(), visit.tenant())
}

/// The tenant, where the holder may see it: its APIs are choices then.
async fn tenant(visit: &ConsoleVisit<'_>) -> PageResult<Option<TenantView>> {
    permitted(visit.administrator().of(&visit.caller, &visit.tenant()).look::<Tenant>(&()).await)
}

/// The document of the form, as the API reads it.
fn document(fields: &FormFields) -> Value {
    let mut document = json!({
        "purpose": fields.given("purpose"),
        "audiences": fields.values("audience").chain(fields.given("other_audience")).collect::<Vec<_>>(),
        "scopes": fields.values("scope").map(str::to_owned).chain(fields.words("other_scopes")).collect::<Vec<_>>(),
    });
    for name in ["client_id", "name", "description"] {
        if let Some(value) = fields.given(name) {
            document[name] = value.into();
        }
    }
    if fields.text("purpose") == "api" {
        document["introspection"] = "audience".into();
    }
    document
}

fn form(
    visit: &ConsoleVisit<'_>,
    tenant: Option<&TenantView>,
    fields: &FormFields,
    refused: &RefusedForm,
) -> HttpResponse {
    let text = |name: &'static str, label: &str| Field::text(name, label, fields.text(name)).optional();
    let is_sent = |name: &str, value: &str| fields.values(name).any(|sent| sent == value);
    let purposes = PURPOSES.map(|(value, label, text)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        text: text.to_owned(),
        is_chosen: is_sent("purpose", value),
    });
    let mut inputs = vec![
        refused.at("/purpose", Field::new("purpose", "What is it?", Input::One(purposes.to_vec()))),
        refused.at("/name", text("name", "Name").hint("As people read it.")),
        refused.at("/client_id", text("client_id", "Client id").hint("Without one it is random.")),
    ];
    let servers = tenant.map(|view| &view.settings.resource_servers).into_iter().flatten();
    let (mut audiences, mut scopes) = (Vec::new(), Vec::new());
    for (audience, server) in servers {
        let choice = |name: &str, value: &str, text: &str| Choice {
            value: value.to_owned(),
            label: value.to_owned(),
            text: text.to_owned(),
            is_chosen: is_sent(name, value),
        };
        audiences.push(choice("audience", audience, ""));
        let described = server.scopes.described();
        scopes.extend(described.map(|(scope, text)| choice("scope", scope, text)));
    }
    if audiences.is_empty() {
        inputs.push(
            refused.at("/audiences", text("other_audience", "API").hint("The audience of its tokens.")),
        );
        let words = Input::Lines(fields.text("other_scopes").to_owned());
        inputs.push(refused.at("/scopes", Field::new("other_scopes", "Scopes", words)));
    } else {
        inputs.push(refused.at("/audiences", Field::new("audience", "APIs", Input::Any(audiences))));
        inputs.push(refused.at("/scopes", Field::new("scope", "Scopes", Input::Any(scopes))));
    }
    let form =
        HtmlForm::button(visit.path("/applications/new"), &visit.form_token(), "Create the application");
    let form = form.meaning(Meaning::Info).with(inputs).sending("request", created::request_key(fields));
    let alert = refused.message.clone().map(|text| Block::Alert(Meaning::Danger, text));
    visit.show("Applications", "New application", alert.into_iter().chain([Block::Form(form)]).collect())
}
