//! A new credential, which is shown once in the response to the form. If the browser sends the form
//! again, the page shows the same credential.

use actix_web::HttpResponse;
use administration::administrator::{Caller, Idempotency};
use administration::documents::CreatedClient;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use pages::console::Block;
use pages::{CreatedTexts, Link, Meaning};
use secrets::random_bytes;
use serde_json::Value;

use super::form::FormFields;
use super::visit::ConsoleVisit;
use crate::routes::admin::encoded;
use crate::snippets::token_snippets;

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

pub(super) fn client_page(
    visit: &ConsoleVisit<'_>,
    current: &str,
    home: &str,
    token_endpoint: &str,
    created: &CreatedClient,
) -> HttpResponse {
    let id = &created.client.client_id;
    let next = format!("{home}/applications/{}", encoded(id));
    let texts = &visit.texts().created;
    let Some(secret) = &created.secret else {
        let done = Block::Alert(Meaning::Success, (texts.without_secret)(id));
        return visit.show(current, id.as_str(), vec![done, way_on(texts.open, next)]);
    };
    let mut blocks = value_blocks(texts, texts.client_secret, &secret.client_secret);
    blocks.extend(snippet_blocks(texts, token_endpoint, id));
    blocks.push(way_on(texts.copied, next));
    visit.show(current, (texts.secret_title)(id), blocks)
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
    let mut blocks = vec![Block::Heading(texts.get_token), Block::Text(texts.set_variable.to_owned())];
    let snippets = token_snippets(token_endpoint, client).into_iter();
    blocks.push(Block::Snippets(snippets.map(|(language, text)| (language.to_owned(), text)).collect()));
    blocks
}

pub(super) fn way_on(name: &str, url: String) -> Block {
    Block::Links(vec![Link { name: name.to_owned(), url }])
}
