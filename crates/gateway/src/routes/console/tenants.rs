//! The tenants of the platform: a list in pages, and a form for a new one with its first client.

use administration::{EditError, NewTenant, Permission, TenantView};
use pages::console::{Block, Field, HtmlForm, Input};
use pages::{Link, Meaning, Preview};
use serde_json::{Value, json};

use super::created::{self, idempotent};
use super::form::FormFields;
use super::shown::{List, RefusedForm, link, managed_by, outcome, status, success, table, time};
use super::visit::ConsoleVisit;
use crate::page::PageResult;

/// Rows of a page.
pub(super) const ROWS: u32 = 50;

/// The tenants, by their ids or by the words of a search.
pub(super) async fn list(visit: &ConsoleVisit<'_>) -> PageResult {
    let (search, cursor) = (visit.parameter("search"), visit.parameter("cursor"));
    let found =
        visit.administrator().tenants(&visit.caller, search.as_deref(), cursor.as_deref(), ROWS).await;
    let list = List {
        title: "Tenants",
        path: "/tenants",
        search: "Search by id or name",
        new: "New tenant",
        none: ("No tenants", "A tenant is an authorization server of its own."),
        rows: "tenants",
    };
    let row = |view: &TenantView| {
        vec![
            link(&*view.id, format!("{}/t/{}", visit.path(""), view.id)),
            pages::Value::Text(view.settings.name.clone().unwrap_or_default()),
            status(&view.status),
            managed_by(&view.managed_by),
            time(view.created_at),
        ]
    };
    let headings = ["Id", "Name", "Status", "Managed by", "Created"];
    list.show(visit, found, |tenants| table("Tenants", headings, tenants.iter().map(row)))
}

/// The form of a new tenant.
pub(super) async fn new(visit: &ConsoleVisit<'_>) -> PageResult {
    visit.require_everywhere(Permission::Tenants)?;
    Ok(form(visit, &FormFields::read(b""), &RefusedForm::default()))
}

/// Creates the tenant, its API and its first client in one commit.
pub(super) async fn create(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    visit.require_everywhere(Permission::Tenants)?;
    let document = document(fields);
    let created = match NewTenant::read(document.clone()) {
        Ok(new) => visit.administrator().create_tenant(&idempotent(visit, fields, &document), new).await,
        Err(errors) => Err(EditError::Invalid(errors)),
    };
    let created = match outcome(created)? {
        Ok(created) => created.value,
        Err(refused) => return Ok(form(visit, fields, &refused)),
    };
    let (id, token_endpoint) = (&created.tenant.id, &*created.tenant.token_endpoint);
    let home = format!("{}/t/{id}", visit.path(""));
    match &created.client {
        Some(client) => Ok(created::client_page(visit, "Tenants", &home, token_endpoint, client)),
        None => {
            let done = success(format!("The tenant {id} is there."));
            let link = Link { name: "Open the tenant".to_owned(), url: home };
            Ok(visit.show("Tenants", id.as_str(), vec![done, Block::Links(vec![link])]))
        }
    }
}

/// The document of the form, as the API reads it.
fn document(fields: &FormFields) -> Value {
    let scopes = fields.words("scopes");
    let mut document = json!({ "id": fields.text("id"), "name": fields.given("name") });
    if let Some(audience) = fields.given("audience") {
        document["resource_servers"] = json!({ audience: { "scopes": scopes } });
    }
    if let Some(client) = fields.given("client_id") {
        let audiences: Vec<_> = fields.given("audience").into_iter().collect();
        document["client"] = json!({ "client_id": client, "audiences": audiences, "scopes": scopes });
    }
    if document["name"].is_null() {
        document.as_object_mut().map(|members| members.remove("name"));
    }
    document
}

fn form(visit: &ConsoleVisit<'_>, fields: &FormFields, refused: &RefusedForm) -> actix_web::HttpResponse {
    let text = |name: &'static str, label: &str| Field::text(name, label, fields.text(name));
    let scopes = Field::new("scopes", "Scopes", Input::Lines(fields.text("scopes").to_owned()));
    let inputs = vec![
        refused.at(
            "/id",
            text("id", "Id")
                .hint("Lower case letters, digits and -. It is part of every address of the tenant."),
        ),
        refused.at(
            "/name",
            text("name", "Name").optional().hint("As people read it. Without one it is the id."),
        ),
        refused.at(
            "/resource_servers",
            text("audience", "API").optional().hint("The audience of its tokens, such as orders."),
        ),
        scopes.hint("What can be done there, such as orders:read orders:write."),
        refused.at(
            "/client",
            text("client_id", "First application")
                .optional()
                .hint("The id of its first client. Its secret is shown once."),
        ),
    ];
    let form = HtmlForm::button(visit.path("/tenants/new"), &visit.form_token(), "Create the tenant");
    let form = form.meaning(Meaning::Info).with(inputs).previewing(addresses(visit));
    let form = form.sending("request", created::request_key(fields));
    let alert = refused.message.clone().map(|text| Block::Alert(Meaning::Danger, text));
    visit.show("Tenants", "New tenant", alert.into_iter().chain([Block::Form(form)]).collect())
}

/// The addresses of a tenant whose id is being typed.
fn addresses(visit: &ConsoleVisit<'_>) -> Preview {
    let issuer = format!("{}/api/v1/tenant/{{}}", visit.administrator().public_url());
    let line = |label: &str, below: &str| (label.to_owned(), format!("{issuer}{below}"));
    Preview {
        field: "id",
        placeholder: "ID".to_owned(),
        lines: vec![
            line("Issuer", ""),
            line("Token endpoint", "/oauth/token"),
            line("Key set", "/.well-known/jwks.json"),
        ],
    }
}
