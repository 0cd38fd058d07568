//! A new credential, which is shown once in the response to the form. If the browser sends the form
//! again, the page shows the same credential.

use actix_web::HttpResponse;
use administration::administrator::{Caller, Idempotency};
use administration::documents::{ClientView, CreatedClient};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use pages::console::Block;
use pages::{CreatedTexts, Link, Meaning};
use secrets::random_bytes;
use serde_json::Value;
use tenancy::Tenant;

use super::application_kind::ApplicationKind;
use super::form::FormFields;
use super::frame::Head;
use super::shown::copied;
use super::visit::ConsoleVisit;
use crate::routes::admin::encoded;
use crate::snippets::{VerifierSettings, token_snippets, verifier_snippets};

/// Reads the secret without writing it to the history of the shell.
const READ_SECRET: &str = "read -rs CLIENT_SECRET && export CLIENT_SECRET";

/// Adds an idempotency key from the form, so that sending the form again creates nothing.
pub(super) fn idempotent(visit: &ConsoleVisit<'_>, fields: &FormFields, document: &Value) -> Caller {
    let raw = &visit.request.raw;
    let request =
        [raw.method().as_bytes(), raw.path().as_bytes(), document.to_string().as_bytes()].map(<[u8]>::to_vec);
    let key = fields.given("request").map(|key| format!("console {key}"));
    let idempotency = key.and_then(|key| Idempotency::from_key(key, [&request[0], &request[1], &request[2]]));
    Caller { idempotency, ..visit.caller.clone() }
}

/// The idempotency key of the form, or a new one.
pub(super) fn request_key(fields: &FormFields) -> String {
    fields.given("request").map_or_else(|| BASE64URL.encode(random_bytes::<16>().as_slice()), str::to_owned)
}

/// The secret of a new client, if it has one, and what its kind does next. `home` is the path of the
/// tenant's pages.
pub(super) fn client_page(
    visit: &ConsoleVisit<'_>,
    current: &str,
    home: &str,
    token_endpoint: &str,
    created: &CreatedClient,
) -> HttpResponse {
    let (id, view) = (&created.client.client_id, &created.client);
    let next = format!("{home}/applications/{}", encoded(id));
    let (texts, labels) = (&visit.texts().created, &visit.texts().labels);
    let name = view.settings.name.as_ref().unwrap_or(id);
    let (heading, mut blocks) = match &created.secret {
        Some(secret) => {
            let mut blocks = value_blocks(texts, texts.client_secret, &secret.client_secret);
            blocks.push(way_on(texts.copied, next));
            ((texts.secret_title)(name), blocks)
        }
        None => {
            let done = Block::Alert(Meaning::Success, (texts.without_secret)(name));
            (name.clone(), vec![done, way_on(texts.open, next)])
        }
    };
    blocks.extend(match (ApplicationKind::of(&view.settings), &visit.row) {
        (Some(ApplicationKind::Api), Some(tenant)) => verifying(texts, tenant, token_endpoint, view),
        (Some(kind), Some(tenant)) if !kind.identity_scopes().is_empty() => {
            let issuer = tenant.issuer.as_str();
            let text = match kind {
                ApplicationKind::Device => texts.device,
                kind if kind.is_public() => texts.sign_in_public,
                _ => texts.sign_in,
            };
            let metadata = format!("{issuer}/.well-known/openid-configuration");
            let facts = vec![
                copied(labels.issuer, issuer),
                copied(labels.client_id, id),
                copied(texts.metadata, &metadata),
            ];
            vec![Block::Heading(texts.connect), Block::Text(text.to_owned()), Block::Facts(facts)]
        }
        _ if created.secret.is_some() => snippet_blocks(texts, token_endpoint, id),
        _ => vec![
            Block::Text(texts.by_assertion.to_owned()),
            Block::Facts(vec![copied(labels.token_endpoint, token_endpoint)]),
        ],
    });
    visit.show_under(Head { current, heading, id: Some(id.clone()), tabs: Vec::new() }, blocks)
}

/// Code that checks the tokens of an API's callers.
fn verifying(texts: &CreatedTexts, tenant: &Tenant, token_endpoint: &str, view: &ClientView) -> Vec<Block> {
    let audience = view.settings.audiences.first().unwrap_or(&view.client_id);
    let format = tenant.resource_server(audience).and_then(|api| api.token_format);
    let snippets = verifier_snippets(&VerifierSettings {
        issuer: tenant.issuer.as_str(),
        jwks: &token_endpoint.replace("/oauth/token", "/.well-known/jwks.json"),
        token_endpoint,
        audience,
        algorithm: tenant.signing.algorithm.as_str(),
        typ: &tenant.access_token.typ,
        format: format.unwrap_or(tenant.access_token.format),
        client_id: &view.client_id,
    });
    code_blocks(texts, texts.verify, texts.verify_text, &snippets)
}

/// The secret or the API key.
pub(super) fn value_blocks(texts: &CreatedTexts, name: &str, value: &str) -> Vec<Block> {
    vec![
        Block::Alert(Meaning::Warning, texts.copy_now.to_owned()),
        Block::Code(name.to_owned(), value.to_owned()),
    ]
}

/// Commands that fetch a token with the secret.
pub(super) fn snippet_blocks(texts: &CreatedTexts, token_endpoint: &str, client: &str) -> Vec<Block> {
    let snippets = token_snippets(token_endpoint, client);
    code_blocks(texts, texts.get_token, texts.set_variable, &snippets)
}

/// Code in several languages, after a line that sets the variable with the secret.
fn code_blocks(
    texts: &CreatedTexts,
    heading: &'static str,
    text: &str,
    snippets: &[(&str, String)],
) -> Vec<Block> {
    let snippets = snippets.iter().map(|(language, text)| ((*language).to_owned(), text.clone()));
    vec![
        Block::Heading(heading),
        Block::Text(text.to_owned()),
        Block::Code(texts.shell.to_owned(), READ_SECRET.to_owned()),
        Block::Snippets(snippets.collect()),
    ]
}

pub(super) fn way_on(name: &str, url: String) -> Block {
    Block::Links(vec![Link { name: name.to_owned(), url }])
}
