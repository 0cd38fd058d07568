//! The applications of a tenant (its clients): a list in pages.

use administration::documents::{ClientSettings, ClientView};
use pages::console::Block;
use pages::{Badge, Column, ConsoleTexts, Meaning, Table, Value};
use protocol::ClientAuthenticationMethod;

use super::application_kind::ApplicationKind;
use super::shown::{List, named, status, time};
use super::tenants::ROWS;
use super::visit::ConsoleVisit;
use crate::page::PageResult;

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
            named(view.settings.name.as_deref(), &view.client_id, path(&view.client_id)),
            Value::Text(kind(texts, view).to_owned()),
            health(texts, view),
            match &*view.settings.scopes {
                [_, _, _, ..] => Value::Text((of.scope_count)(&view.settings.scopes.len().to_string())),
                scopes => Value::Codes(scopes.to_vec()),
            },
            Value::Number(view.live_secrets.into()),
            time(view.updated_at),
        ]
    };
    let columns = [labels.name, labels.kind, labels.status, labels.scopes];
    let mut columns = columns.map(Column::from_heading).to_vec();
    columns.extend([Column::of_numbers(of.live_secrets), Column::from_heading(labels.changed)]);
    let caption = texts.frame.applications.to_owned();
    Table { caption, columns, rows: clients.iter().map(row).collect() }
}

/// The name of the kind for people. Empty if the application has no kind.
pub(super) fn kind(texts: &ConsoleTexts, view: &ClientView) -> &'static str {
    let kind = ApplicationKind::of(&view.settings);
    kind.and_then(|kind| (texts.applications.kind_name)(kind.as_str())).unwrap_or_default()
}

/// Whether the application can authenticate with signed assertions.
pub(super) const fn has_keys(settings: &ClientSettings) -> bool {
    settings.jwks.is_some() || settings.jwks_uri.is_some() || !settings.federated.is_empty()
}

/// The status, or a warning if the application is active but has no secret to authenticate with.
pub(super) fn health(texts: &ConsoleTexts, view: &ClientView) -> Value {
    let method = &view.settings.token_endpoint_auth_method;
    let [any, basic, post, ..] = ClientAuthenticationMethod::NAMES;
    let needs_secret = method == basic || method == post || (method == any && !has_keys(&view.settings));
    // A service account may have API keys instead.
    let is_service = ApplicationKind::of(&view.settings) == Some(ApplicationKind::ServiceAccount);
    if view.status == "active" && view.live_secrets == 0 && needs_secret && !is_service {
        let text = texts.applications.no_live_secret.to_owned();
        return Value::Badge(Badge { meaning: Meaning::Warning, text });
    }
    status(&texts.shared, &view.status)
}

pub(super) fn token_endpoint(visit: &ConsoleVisit<'_>) -> String {
    format!("{}/api/v1/tenant/{}/oauth/token", visit.administrator().public_url(), visit.tenant())
}
