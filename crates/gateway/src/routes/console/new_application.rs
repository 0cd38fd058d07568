//! A new application in two steps: its kind and name, then the settings of the kind. A copy of another
//! application starts with the second step.

use actix_web::HttpResponse;
use administration::administrator::Caller;
use administration::documents::{
    ApiKeySettings, ClientSettings, ClientView, CreatedClient, NewClient, read_json,
};
use administration::edit::{EditError, FieldError, secret};
use administration::kinds::Permission;
use pages::Meaning;
use pages::console::{Block, Choice, Field, HtmlForm, Input};
use protocol::ClientAuthenticationMethod;
use registry::{ClientId, SecretId};
use serde_json::json;
use tenancy::Tenant;

use super::api_access;
use super::application::find_by_id;
use super::application_kind::ApplicationKind;
use super::applications::token_endpoint;
use super::created::{self, idempotent};
use super::form::FormFields;
use super::shown::{RefusedForm, fact, outcome};
use super::uri_rules::uris_field;
use super::visit::{ConsoleVisit, unseen};
use crate::page::PageResult;
use crate::request::ServerFailure;

/// The settings with the URIs of an application that signs people in.
const URIS: [&str; 2] = ["redirect_uris", "post_logout_redirect_uris"];

/// With `like`, the form is filled with the settings of that application.
pub(super) async fn new(visit: &ConsoleVisit<'_>) -> PageResult {
    visit.require_here(Permission::Clients)?;
    let Some(like) = visit.parameter("like") else {
        return Ok(first_step(visit, &FormFields::read(b""), &RefusedForm::default()));
    };
    let (ClientView { client_id, settings, .. }, tenant) = (find(visit, &like).await?, visit.tenant_row()?);
    let kind = ApplicationKind::of(&settings).unwrap_or(ApplicationKind::Machine);
    let mut fields = api_access::filled(tenant, kind.identity_scopes(), &settings);
    let uris = [&settings.redirect_uris, &settings.post_logout_redirect_uris];
    fields.extend(URIS.into_iter().zip(uris.map(|uris| uris.join("\n"))));
    fields.push(("like", client_id));
    let fields = FormFields::from_pairs(fields);
    Ok(second_step(visit, tenant, kind, &fields, &RefusedForm::default()))
}

/// Leads from the first step to the second, whose response shows the application's credential.
pub(super) async fn create(visit: &ConsoleVisit<'_>, fields: &FormFields) -> PageResult {
    visit.require_here(Permission::Clients)?;
    let (of, kind) = (&visit.texts().new_application, ApplicationKind::parse(fields.text("purpose")));
    let is_last = fields.given("step").is_some();
    let missing = [
        (kind.is_none(), "/purpose", of.kind_required),
        (fields.given("name").is_none(), "/name", of.name_required),
    ];
    let missing = missing.into_iter().filter(|(is_missing, ..)| *is_missing);
    let mut errors: Vec<_> = missing.map(|(_, at, text)| FieldError::at(at, text)).collect();
    let Some(kind) = kind.filter(|_| is_last || errors.is_empty()) else {
        return Ok(first_step(visit, fields, &RefusedForm::from_error(EditError::Invalid(errors))?));
    };
    let tenant = visit.tenant_row()?;
    if !is_last {
        return Ok(second_step(visit, tenant, kind, fields, &RefusedForm::default()));
    }
    let mut document = match fields.given("like") {
        Some(like) => copied(&find(visit, like).await?.settings),
        None => kind.settings(),
    };
    let is_by_api_key = kind == ApplicationKind::ServiceAccount && fields.text("credential") == "api_key";
    fill(&mut document, kind, fields, &mut errors, of);
    if is_by_api_key && tenant.api_keys.is_none() {
        errors.push(FieldError::at("/credential", of.credential_required));
    }
    let caller = idempotent(visit, fields, &document);
    let read = if errors.is_empty() { NewClient::read(document) } else { Err(errors) };
    let made = match read {
        Ok(new) => visit.administrator().of(&caller, &visit.tenant()).create_client(new).await,
        Err(errors) => Err(EditError::Invalid(errors)),
    };
    match outcome(made)? {
        Ok(made) if is_by_api_key => with_api_key(visit, &caller, &made.value).await,
        Ok(made) => {
            let current = visit.texts().frame.applications;
            Ok(created::client_page(visit, current, &visit.path(""), &token_endpoint(visit), &made.value))
        }
        Err(refused) => Ok(second_step(visit, tenant, kind, fields, &refused)),
    }
}

/// Replaces the application's secret, which nobody has seen, by an API key.
async fn with_api_key(visit: &ConsoleVisit<'_>, caller: &Caller, made: &CreatedClient) -> PageResult {
    let (tenant, texts) = (visit.tenant(), visit.texts());
    let id = &made.client.client_id;
    let client: ClientId = id.parse().map_err(|_| ServerFailure::Internal)?;
    let administrator = visit.administrator();
    if let Some(unused) = &made.secret {
        let (unused, step) = (SecretId::new(&unused.secret.id), secret::Step::Revoke);
        administrator.of(&visit.caller, &tenant).step_secret(&client, &unused, step).await.map_err(unseen)?;
    }
    let settings = ApiKeySettings { name: made.client.settings.name.clone(), ..ApiKeySettings::default() };
    let key = administrator.of(caller, &tenant).create_api_key(&client, settings).await;
    let next = visit.application(id, "/credentials");
    let blocks = match outcome(key)? {
        Ok(key) => {
            let mut blocks = created::value_blocks(&texts.created, texts.created.api_key, &key.value.api_key);
            blocks.push(created::way_on(texts.created.copied, next));
            blocks
        }
        Err(refused) => vec![refused.alert(), created::way_on(texts.created.open, next)],
    };
    Ok(visit.show(texts.frame.applications, id.as_str(), blocks))
}

async fn find(visit: &ConsoleVisit<'_>, id: &str) -> PageResult<ClientView> {
    find_by_id(visit, &id.parse().map_err(|_| ServerFailure::UnknownPath)?).await
}

/// The settings without credentials. The copy authenticates with a secret, or not at all.
fn copied(settings: &ClientSettings) -> serde_json::Value {
    let mut document = json!(settings);
    if let Some(members) = document.as_object_mut() {
        let credentials = ["jwks", "jwks_uri", "federated", "rotate"];
        members.retain(|name, _| !credentials.contains(&&**name) && !name.starts_with("tls_client_auth_"));
    }
    let [any, basic, post, .., public] = ClientAuthenticationMethod::NAMES;
    if ![any, basic, post, public].contains(&&*settings.token_endpoint_auth_method) {
        document["token_endpoint_auth_method"] = any.into();
    }
    // Claims from assertions need `federated`.
    if let Some(claims) = document["claims"].as_object_mut() {
        claims.retain(|_, value| value.get("from").is_none());
    }
    document
}

/// Writes the form into the document of the admin API.
fn fill(
    document: &mut serde_json::Value,
    kind: ApplicationKind,
    fields: &FormFields,
    errors: &mut Vec<FieldError>,
    of: &pages::NewApplicationTexts,
) {
    for name in ["name", "client_id"] {
        document[name] = json!(fields.given(name));
    }
    api_access::read(fields, document);
    if kind.has_redirect_uris() {
        for name in URIS {
            document[name] = json!(fields.lines(name));
        }
    }
    if kind != ApplicationKind::ServiceAccount {
        return;
    }
    let credential = match fields.text("credential") {
        "api_key" => return,
        "key_url" => json!({ "jwks_uri": fields.given("jwks_uri") }),
        "public_key" => match read_json(fields.text("jwks").as_bytes()) {
            Ok(key) if key.get("kty").is_some() => json!({ "jwks": { "keys": [key] } }),
            Ok(keys) => json!({ "jwks": keys }),
            Err(_) => return errors.push(FieldError::at("/jwks", of.not_json)),
        },
        "workload" => {
            json!({ "federated": [{ "issuer": fields.text("issuer"), "subject": fields.text("subject") }] })
        }
        _ => return errors.push(FieldError::at("/credential", of.credential_required)),
    };
    document["token_endpoint_auth_method"] = "private_key_jwt".into();
    for (name, value) in credential.as_object().into_iter().flatten() {
        document[name] = value.clone();
    }
}

fn first_step(visit: &ConsoleVisit<'_>, fields: &FormFields, refused: &RefusedForm) -> HttpResponse {
    let (of, sent) = (&visit.texts().applications, fields.text("purpose"));
    let text = |texts: fn(&str) -> Option<&'static str>, name| texts(name).unwrap_or_default();
    let tile = |name| Choice::new(name, text(of.kind_name, name), text(of.kind_text, name), sent == name);
    let tiles = Input::Tiles(ApplicationKind::NAMES.map(tile).to_vec());
    let inputs = vec![
        refused.at("/purpose", Field::new("purpose", of.kind, tiles)),
        name_field(visit, fields, refused),
    ];
    // The second step offers this scope if the kind signs people in.
    let form = form(visit, fields, visit.texts().new_application.next).sending("identity", "openid");
    show(visit, refused, Vec::new(), form.with(inputs))
}

fn second_step(
    visit: &ConsoleVisit<'_>,
    tenant: &Tenant,
    kind: ApplicationKind,
    fields: &FormFields,
    refused: &RefusedForm,
) -> HttpResponse {
    let (texts, of) = (visit.texts(), &visit.texts().new_application);
    let name = (texts.applications.kind_name)(kind.as_str()).unwrap_or_default();
    let mut blocks = vec![Block::Facts(vec![fact(texts.labels.kind, name)])];
    let form = form(visit, fields, texts.applications.create).sending("purpose", kind.as_str());
    let mut form = form.sending("step", "create");
    if let Some(like) = fields.given("like") {
        form = form.sending("like", like);
        blocks.push(Block::Text((of.copied_from)(like)));
    }
    if !kind.identity_scopes().is_empty() && !tenant.strategies.oidc {
        blocks.push(Block::Note(Meaning::Warning, of.no_sign_in.to_owned()));
    }
    let id = Field::text("client_id", texts.labels.client_id, fields.text("client_id")).optional();
    let id = refused.at("/client_id", id.hint(texts.applications.client_id_hint));
    let mut inputs = vec![name_field(visit, fields, refused), id];
    match kind {
        ApplicationKind::ServiceAccount => inputs.extend(credential_fields(of, tenant, fields, refused)),
        ApplicationKind::Api => blocks.push(Block::Text(of.own_api.to_owned())),
        _ => {}
    }
    for name in URIS.into_iter().filter(|_| kind.has_redirect_uris()) {
        let field = uris_field(texts, name, fields.text(name).to_owned(), kind.is_public());
        inputs.push(refused.at(&format!("/{name}"), field));
    }
    inputs.extend(api_access::fields(of, tenant, kind.identity_scopes(), fields, refused));
    show(visit, refused, blocks, form.with(inputs))
}

fn show(visit: &ConsoleVisit<'_>, refused: &RefusedForm, blocks: Vec<Block>, form: HtmlForm) -> HttpResponse {
    let blocks = refused.above(blocks.into_iter().chain([Block::Form(form)]));
    visit.show(visit.texts().frame.applications, visit.texts().applications.new, blocks)
}

fn form(visit: &ConsoleVisit<'_>, fields: &FormFields, submit: &str) -> HtmlForm {
    let form = HtmlForm::button(visit.path("/applications/new"), &visit.form_token(), submit);
    form.meaning(Meaning::Info).sending("request", created::request_key(fields))
}

fn name_field(visit: &ConsoleVisit<'_>, fields: &FormFields, refused: &RefusedForm) -> Field {
    let field = Field::text("name", visit.texts().labels.name, fields.text("name"));
    refused.at("/name", field.hint(visit.texts().applications.name_hint))
}

/// How a service account authenticates, and the values of each way.
fn credential_fields(
    of: &pages::NewApplicationTexts,
    tenant: &Tenant,
    fields: &FormFields,
    refused: &RefusedForm,
) -> Vec<Field> {
    let sent = fields.text("credential");
    let ways = [
        ("key_url", of.key_url, of.key_url_text),
        ("public_key", of.public_key, of.public_key_text),
        ("workload", of.workload, of.workload_text),
        ("api_key", of.api_key, of.api_key_text),
    ];
    let ways = ways.into_iter().filter(|(name, ..)| *name != "api_key" || tenant.api_keys.is_some());
    let ways = ways.map(|(value, label, text)| Choice::new(value, label, text, sent == value)).collect();
    let text = |name, label, hint| Field::text(name, label, fields.text(name)).optional().hint(hint);
    let keys = Field::new("jwks", of.keys, Input::Lines(fields.text("jwks").to_owned()));
    let way = refused.at("/credential", Field::new("credential", of.credential, Input::Tiles(ways)));
    vec![
        refused.at("/token_endpoint_auth_method", way),
        refused.at("/jwks_uri", text("jwks_uri", of.keys_url, of.keys_url_hint)),
        refused.at("/jwks", keys.hint(of.keys_hint)),
        refused.at("/federated/0/issuer", text("issuer", of.issuer, of.issuer_hint)),
        refused.at("/federated/0/subject", text("subject", of.subject, of.subject_hint)),
    ]
}
