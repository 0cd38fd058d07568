//! The applications of a tenant (its clients): a list in pages, and a form for a new application.

use actix_web::HttpResponse;
use administration::documents::{ClientView, NewClient, TenantView};
use administration::edit::EditError;
use administration::kinds::Permission;
use pages::console::{Block, Choice, Field, HtmlForm, Input};
use pages::{ApplicationsTexts, Column, ConsoleTexts, Meaning, Table};
use serde_json::{Value, json};
use tenancy::Tenant;

use super::created::{self, idempotent};
use super::form::FormFields;
use super::overview::permitted;
use super::shown::{List, RefusedForm, link, outcome, status, time};
use super::tenants::ROWS;
use super::visit::ConsoleVisit;
use crate::page::PageResult;

/// The stored purpose of the client, its name for people, and a description.
fn purposes(texts: &ApplicationsTexts) -> [(&'static str, &'static str, &'static str); 3] {
    [
        ("machine_to_machine", texts.machine, texts.machine_text),
        ("service_account", texts.service_account, texts.service_account_text),
        ("api", texts.api, texts.api_text),
    ]
}

/// Sorted by id, or the results of a search.
pub(super) async fn list(visit: &ConsoleVisit<'_>) -> PageResult {
    let (tenant, search, cursor) = (visit.tenant(), visit.parameter("search"), visit.parameter("cursor"));
    let administrator = visit.administrator();
    let found =
        administrator.of(&visit.caller, &tenant).clients(search.as_deref(), cursor.as_deref(), ROWS).await;
    let texts = visit.texts();
    let of = &texts.applications;
    let list = List {
        title: texts.frame.applications,
        path: "/applications",
        search: of.search,
        new: of.new,
        none: (of.none, of.none_text),
        unreadable: of.unreadable,
    };
    list.show(visit, found, |clients| Block::Table(table(texts, clients, |id| visit.application(id, ""))))
}

fn table(texts: &ConsoleTexts, clients: &[ClientView], path: impl Fn(&str) -> String) -> Table {
    let (of, labels) = (&texts.applications, &texts.labels);
    let row = |view: &ClientView| {
        vec![
            link(&*view.client_id, path(&view.client_id)),
            pages::Value::Text(view.settings.name.clone().unwrap_or_default()),
            pages::Value::Text(purpose(of, view).to_owned()),
            status(&texts.shared, &view.status),
            pages::Value::Codes(view.settings.scopes.clone()),
            pages::Value::Number(view.live_secrets.into()),
            time(view.updated_at),
        ]
    };
    let columns = [labels.id, labels.name, labels.kind, labels.status, labels.scopes];
    let mut columns = columns.map(Column::from_heading).to_vec();
    columns.extend([Column::of_numbers(of.live_secrets), Column::from_heading(labels.changed)]);
    let caption = texts.frame.applications.to_owned();
    Table { caption, columns, rows: clients.iter().map(row).collect() }
}

pub(super) fn purpose(texts: &ApplicationsTexts, view: &ClientView) -> &'static str {
    let kept = view.settings.purpose.as_deref();
    purposes(texts).into_iter().find(|(name, ..)| Some(*name) == kept).map_or("", |(_, label, _)| label)
}

pub(super) async fn new(visit: &ConsoleVisit<'_>) -> PageResult {
    visit.require_here(Permission::Clients)?;
    let tenant = tenant(visit).await?;
    Ok(form(visit, tenant.as_ref(), &FormFields::read(b""), &RefusedForm::default()))
}

/// The response shows the application's secret.
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
            Ok(created::client_page(
                visit,
                visit.texts().frame.applications,
                &visit.path(""),
                &endpoint,
                &created.value,
            ))
        }
        Err(refused) => Ok(form(visit, tenant(visit).await?.as_ref(), fields, &refused)),
    }
}

pub(super) fn token_endpoint(visit: &ConsoleVisit<'_>) -> String {
    format!("{}/api/v1/tenant/{}/oauth/token", visit.administrator().public_url(), visit.tenant())
}

/// The tenant, whose APIs the form offers. `None` if the owner of the session may not see the
/// tenant.
async fn tenant(visit: &ConsoleVisit<'_>) -> PageResult<Option<TenantView>> {
    permitted(visit.administrator().of(&visit.caller, &visit.tenant()).look::<Tenant>(&()).await)
}

/// Builds the document of the admin API from the form.
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
    let (of, labels) = (&visit.texts().applications, &visit.texts().labels);
    let text = |name: &'static str, label: &str| Field::text(name, label, fields.text(name)).optional();
    let is_sent = |name: &str, value: &str| fields.values(name).any(|sent| sent == value);
    let purposes = purposes(of).map(|(value, label, text)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        text: text.to_owned(),
        is_chosen: is_sent("purpose", value),
    });
    let mut inputs = vec![
        refused.at("/purpose", Field::new("purpose", of.kind, Input::One(purposes.to_vec()))),
        refused.at("/name", text("name", labels.name).hint(of.name_hint)),
        refused.at("/client_id", text("client_id", labels.client_id).hint(of.client_id_hint)),
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
        inputs.push(refused.at("/audiences", text("other_audience", labels.api).hint(of.api_hint)));
        let words = Input::Lines(fields.text("other_scopes").to_owned());
        inputs.push(refused.at("/scopes", Field::new("other_scopes", labels.scopes, words)));
    } else {
        inputs.push(refused.at("/audiences", Field::new("audience", labels.apis, Input::Any(audiences))));
        inputs.push(refused.at("/scopes", Field::new("scope", labels.scopes, Input::Any(scopes))));
    }
    let form = HtmlForm::button(visit.path("/applications/new"), &visit.form_token(), of.create);
    let form = form.meaning(Meaning::Info).with(inputs).sending("request", created::request_key(fields));
    let alert = refused.message.clone().map(|text| Block::Alert(Meaning::Danger, text));
    let current = visit.texts().frame.applications;
    visit.show(current, of.new, alert.into_iter().chain([Block::Form(form)]).collect())
}
