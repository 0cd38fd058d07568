//! A new credential, shown once. The response to the form is this page. If the form is sent again, the page
//! shows the same credential and creates no other one.

use actix_web::HttpResponse;
use administration::{Caller, CreatedClient, Idempotency};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use pages::console::Block;
use pages::{Link, Meaning};
use secrets::random_bytes;
use serde_json::Value;

use super::form::FormFields;
use super::visit::ConsoleVisit;
use crate::routes::admin::encoded;
use crate::snippets::token_snippets;

/// The caller of a creation that is made once, however often the form is sent.
pub(super) fn idempotent(visit: &ConsoleVisit<'_>, fields: &FormFields, document: &Value) -> Caller {
    let raw = &visit.request.raw;
    let request =
        [raw.method().as_bytes(), raw.path().as_bytes(), document.to_string().as_bytes()].map(<[u8]>::to_vec);
    let key = fields.given("request").map(|key| format!("console {key}"));
    let idempotency = key.and_then(|key| Idempotency::from_key(key, [&request[0], &request[1], &request[2]]));
    Caller { idempotency, ..visit.caller.clone() }
}

/// The idempotency key of a form: the one that it has, or a new one.
pub(super) fn request_key(fields: &FormFields) -> String {
    fields.given("request").map_or_else(|| BASE64URL.encode(random_bytes::<16>().as_slice()), str::to_owned)
}

/// The page of a client that has just been created.
pub(super) fn client_page(
    visit: &ConsoleVisit<'_>,
    current: &str,
    home: &str,
    token_endpoint: &str,
    created: &CreatedClient,
) -> HttpResponse {
    let id = &created.client.client_id;
    let next = format!("{home}/applications/{}", encoded(id));
    let Some(secret) = &created.secret else {
        let done =
            Block::Alert(Meaning::Success, format!("The application {id} is there. It has no secret."));
        return visit.show(current, id.as_str(), vec![done, way_on(next)]);
    };
    let blocks = secret_blocks("Client secret", &secret.client_secret, token_endpoint, id);
    visit.show(current, format!("{id}: the secret"), blocks.into_iter().chain([way_on(next)]).collect())
}

/// A secret with what fetches a token with it.
pub(super) fn secret_blocks(name: &str, secret: &str, token_endpoint: &str, client: &str) -> Vec<Block> {
    let mut blocks = vec![
        Block::Alert(Meaning::Warning, "Copy it now. It is shown this once.".to_owned()),
        Block::Code(name.to_owned(), secret.to_owned()),
        Block::Heading("Fetch a token"),
        Block::Text("Put the secret into the variable CLIENT_SECRET first.".to_owned()),
    ];
    let snippets = token_snippets(token_endpoint, client).into_iter();
    blocks.extend(snippets.map(|(language, text)| Block::Code(language.to_owned(), text)));
    blocks
}

pub(super) fn way_on(url: String) -> Block {
    Block::Links(vec![Link { name: "I have it: open the application".to_owned(), url }])
}
