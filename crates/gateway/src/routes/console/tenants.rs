//! The tenants of the platform: a list in pages, and a form for a new tenant with its first client.

use administration::documents::{NewTenant, TenantView};
use administration::edit::EditError;
use administration::kinds::Permission;
use pages::console::{Block, Field, HtmlForm, Input};
use pages::{Link, Meaning, Preview};
use serde_json::{Value, json};

use super::created::{self, idempotent};
use super::form::FormFields;
use super::shown::{List, RefusedForm, managed_by, named, outcome, status, success, table, time};
use super::visit::ConsoleVisit;
use crate::page::PageResult;

pub(super) const ROWS: u32 = 50;

/// Sorted by id, or the results of a search.
pub(super) async fn list(visit: &ConsoleVisit<'_>) -> PageResult {
    let (search, cursor) = (visit.parameter("search"), visit.parameter("cursor"));
    let found =
        visit.administrator().tenants(&visit.caller, search.as_deref(), cursor.as_deref(), ROWS).await;
    let texts = visit.texts();
    let (of, labels, shared) = (&texts.tenants, &texts.labels, &texts.shared);
    let list = List {
        title: texts.frame.tenants,
        path: "/tenants",
        search: of.search,
        new: of.new,
        none: (of.none, of.none_text),
        unreadable: of.unreadable,
    };
    let row = |view: &TenantView| {
        vec![
            named(view.settings.name.as_deref(), &view.id, format!("{}/t/{}", visit.path(""), view.id)),
            status(shared, &view.status),
            managed_by(shared, &view.managed_by),
            time(view.created_at),
        ]
    };
    let headings = [labels.name, labels.status, labels.managed_by, labels.created];
    list.show(visit, found, |tenants| table(texts.frame.tenants, headings, tenants.iter().map(row)))
}

pub(super) async fn new(visit: &ConsoleVisit<'_>) -> PageResult {
    visit.require_everywhere(Permission::Tenants)?;
    Ok(form(visit, &FormFields::read(b""), &RefusedForm::default()))
}

/// Creates the tenant, its API and its first client in one transaction.
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
    let texts = visit.texts();
    match &created.client {
        Some(client) => Ok(created::client_page(visit, texts.frame.tenants, &home, token_endpoint, client)),
        None => {
            let done = success((texts.tenants.created)(id.as_str()));
            let link = Link { name: texts.tenants.open.to_owned(), url: home };
            Ok(visit.show(texts.frame.tenants, id.as_str(), vec![done, Block::Links(vec![link])]))
        }
    }
}

/// Builds the document of the admin API from the form.
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
    let (texts, labels) = (visit.texts(), &visit.texts().labels);
    let of = &texts.tenants;
    let text = |name: &'static str, label: &str| Field::text(name, label, fields.text(name));
    let scopes = Field::new("scopes", labels.scopes, Input::Lines(fields.text("scopes").to_owned()));
    let inputs = vec![
        refused.at("/id", text("id", labels.id).hint(of.id_hint)),
        refused.at("/name", text("name", labels.name).optional().hint(of.name_hint)),
        refused.at("/resource_servers", text("audience", labels.api).optional().hint(of.api_hint)),
        scopes.hint(of.scopes_hint),
        refused.at(
            "/client",
            text("client_id", of.first_application).optional().hint(of.first_application_hint),
        ),
    ];
    let form = HtmlForm::button(visit.path("/tenants/new"), &visit.form_token(), of.create);
    let form = form.meaning(Meaning::Info).with(inputs).previewing(addresses(visit));
    let form = form.sending("request", created::request_key(fields));
    visit.show(texts.frame.tenants, of.new, refused.above([Block::Form(form)]))
}

/// Shows the tenant's URLs while its id is being typed.
fn addresses(visit: &ConsoleVisit<'_>) -> Preview {
    let labels = &visit.texts().labels;
    let issuer = format!("{}/api/v1/tenant/{{}}", visit.administrator().public_url());
    let line = |label: &str, below: &str| (label.to_owned(), format!("{issuer}{below}"));
    Preview {
        field: "id",
        placeholder: visit.texts().tenants.id_placeholder.to_owned(),
        lines: vec![
            line(labels.issuer, ""),
            line(labels.token_endpoint, "/oauth/token"),
            line(labels.key_set, "/.well-known/jwks.json"),
        ],
    }
}
