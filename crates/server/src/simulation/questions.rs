//! Asks a replica, and checks its answer.

use std::time::Duration;

use keys::Kid;
use registry::ClientId;
use secrets::GeneratedSecret;
use values::Timestamp;

use super::answers::{Refused, part};
use super::changes::Question;
use super::directory::Token;
use super::model::Request;
use super::replica::Replica;

impl Replica {
    /// Sends the question to a replica, and checks the answer.
    pub(super) async fn ask(&self, question: &Question) {
        let (world, from) = (&self.world, self.world.now());
        let request = || Request { replica: self.number, from, to: world.now() };
        let (what, said, checked) = match question {
            Question::Token(tenant, client, secret) => {
                let (id, client_id, (secret_id, secret)) = {
                    let directory = world.directory();
                    let known = &directory.tenants[*tenant];
                    let (client_id, secrets) = &known.clients[*client];
                    let secret = secrets.iter().rev().nth(*secret).cloned();
                    (
                        known.id.clone(),
                        client_id.clone(),
                        secret.unwrap_or(("none".to_owned(), unknown_secret())),
                    )
                };
                let issued = self.issue(&id, (&client_id, &secret)).await;
                let issued = issued.map(|text| read(*tenant, text, from));
                let checked = world.check_token(request(), (*tenant, &client_id, &secret), &issued);
                let said = issued.as_ref().map(|token| {
                    let number = world.directory().number_of(token.kid);
                    format!("key {number} until {}", token.expires_at.seconds())
                });
                if let Ok(token) = &issued {
                    world.directory().keep(token);
                }
                let said = said.map_err(describe);
                (format!("token of {id} {client_id} {secret_id}"), said, checked)
            }
            Question::Keys(tenant) => {
                let id = world.directory().tenants[*tenant].id.clone();
                let answer = self.published_keys(&id).await;
                let checked = world.check_keys(request(), *tenant, &answer);
                let said = answer.as_ref().map(|(kids, lifetime)| {
                    let mut directory = world.directory();
                    let numbers: Vec<_> = kids.iter().map(|kid| directory.number_of(*kid)).collect();
                    format!("{numbers:?} {lifetime:?}")
                });
                (format!("keys of {id}"), said.map_err(describe), checked)
            }
            Question::Introspection(token) => {
                let (id, inspector, secret) = {
                    let directory = world.directory();
                    let known = &directory.tenants[token.tenant];
                    (known.id.clone(), known.inspector.0.clone(), known.inspector.1.clone())
                };
                let answer = self.introspect(&id, (&inspector, &secret), &token.text).await;
                let checked = world.check_introspection(request(), token, &answer);
                let said = answer.as_ref().map(|is_active| format!("active: {is_active}")).map_err(describe);
                let Token { client, issued_at, .. } = &**token;
                (format!("introspection of {id} {client} of {}", issued_at.seconds()), said, checked)
            }
        };
        let from = from.as_secs_f64();
        let said = said.unwrap_or_else(|refused| refused);
        world.note(format!("replica {}, {from:.3}: {what}: {said}", self.number));
        if let Err(violation) = checked {
            world.violated(format!("replica {} answers wrongly: {what}: {said}: {violation}", self.number));
        }
    }
}

fn read(tenant: usize, text: String, from: Duration) -> Token {
    let (header, claims) = (part(&text, 0), part(&text, 1));
    let string = |value: &serde_json::Value| value.as_str().expect("it is a string").to_owned();
    let time = |name: &str| Timestamp::from_seconds(claims[name].as_u64().expect("it is a time"));
    Token {
        tenant,
        client: ClientId::parse(&string(&claims["client_id"])).expect("it is an identifier"),
        kid: Kid::parse(&string(&header["kid"])).expect("it is a kid"),
        jti: string(&claims["jti"]),
        issued_at: time("iat"),
        expires_at: time("exp"),
        text,
        from,
    }
}

fn describe(refused: &Refused) -> String {
    format!("{refused:?}")
}

/// A well-formed secret that no client has.
fn unknown_secret() -> String {
    GeneratedSecret::generate().secret.expose().to_owned()
}
