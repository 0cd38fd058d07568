//! Decides which credentials a client keeps when it gains a `latchkey:` scope. An administrator who managed
//! the client before may know its credentials, and could use them to get the new scope.
//!
//! Redirect URIs and API keys need no decision: tokens of people never have `latchkey:` scopes of their
//! clients, and API keys never have a `latchkey:` scope.

use keys::jwk_thumbprint;
use registry::{Client, ClientId, ClientKeys, TrustRules};
use serde_json::Value;
use values::Timestamp;

use super::secret::of_secret;
use super::{Edit, EditContext, Edited, invalid};
use crate::audit::AuditRecord;
use crate::declaration::fingerprint::{digest, hex};
use crate::documents::CLIENT;
use crate::documents::{ClientSettings, LiveCredential};
use crate::edit::EditError;
use crate::kinds;
use crate::kinds::TenantState;
use crate::kinds::change::SecretChangeKind;
use crate::kinds::fields::members;
use crate::rules::{FieldErrors, check_client};

/// The pointer to the member that lists the credentials to keep.
const AT: &str = "/keep_credentials";

/// The refusal of a grant: credentials that the client would keep although nobody decided about them.
#[derive(Debug)]
pub struct LiveCredentials {
    pub(crate) client: ClientId,
    pub(crate) found: Vec<LiveCredential>,
}

impl LiveCredentials {
    #[must_use]
    pub fn list(&self) -> &[LiveCredential] {
        &self.found
    }

    /// Takes the creators of credentials from an audit record of the client. Call with the newest record
    /// first. Returns whether a creator is still unknown.
    pub(crate) fn note(&mut self, record: &AuditRecord) -> bool {
        let Self { client, found } = self;
        for credential in found.iter_mut().filter(|one| one.created_by == LiveCredential::UNKNOWN) {
            if created(client, credential, record) {
                credential.created_by.clone_from(&record.actor);
            }
        }
        found.iter().any(|one| one.created_by == LiveCredential::UNKNOWN)
    }
}

fn created(client: &ClientId, credential: &LiveCredential, record: &AuditRecord) -> bool {
    let AuditRecord { action, subject, detail, .. } = record;
    let Some((field, text)) = &credential.place else {
        return action == "secret.added" && *subject == format!("{client}/{}", credential.id);
    };
    let has = |side: &str| {
        let value = detail[field][side].as_str();
        // A list contains its items as JSON objects, which other text can contain only with escapes.
        value.is_some_and(|value| value == text || (value.starts_with('[') && value.contains(text)))
    };
    action.starts_with("client.") && *subject == *client.as_str() && has("after") && !has("before")
}

/// Revokes the secrets that are not kept, removes the other credentials that are not kept from `after`, and
/// notes all of them for the audit. Does nothing unless `after` gains a `latchkey:` scope.
pub(super) fn decide(
    context: EditContext<'_>,
    state: &TenantState,
    row: &kinds::client::State,
    after: &mut Client,
    keep: Option<&[String]>,
) -> Edited {
    let before = &row.client;
    let gains = after.scope.iter().any(|token| token.is_reserved() && !before.scope.contains(token));
    if keep.is_none() && !gains {
        return Ok(Edit::default());
    }
    let new = registered(after);
    let is_left = |one: &LiveCredential| new.iter().any(|new| new.id == one.id);
    let mut found = secrets(row, context.now);
    found.extend(registered(before).into_iter().filter(is_left));
    let Some(keep) = keep else {
        let live = LiveCredentials { client: before.id.clone(), found };
        return if live.found.is_empty() {
            Ok(Edit::default())
        } else {
            Err(EditError::LiveCredentials(Box::new(live)))
        };
    };
    for (index, id) in keep.iter().enumerate() {
        if !found.iter().any(|one| one.id == *id) {
            return Err(invalid(format!("{AT}/{index}"), "the client has no live credential with this id"));
        }
    }
    if !gains || found.is_empty() {
        return Ok(Edit::default());
    }
    let (kept, revoked): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| keep.contains(&one.id));
    let is_revoked = |id: &str| revoked.iter().any(|one| one.id == id);
    let mut edit = Edit::default();
    for row in row.secrets.iter().filter(|row| is_revoked(row.secret.id.as_str())) {
        edit.changes.push(of_secret(before, &row.secret.id, SecretChangeKind::Revoked));
    }
    if revoked.iter().any(|one| one.place.is_some()) {
        remove(after, is_revoked);
        let mut errors = FieldErrors::default();
        check_client(&mut errors, &state.tenant, &after.id, &ClientSettings::from(&*after));
        if let Some(error) = errors.into_vec().into_iter().next() {
            let detail = format!("without the others the client is not valid: {}", error.message());
            return Err(invalid(
                AT,
                format!("{detail}. Keep one of them, or register a new one in the same change"),
            ));
        }
    }
    let ids = |list: Vec<LiveCredential>| list.into_iter().map(|one| one.id).collect();
    edit.credentials = Some((ids(kept), ids(revoked)));
    Ok(edit)
}

fn secrets(row: &kinds::client::State, now: Timestamp) -> Vec<LiveCredential> {
    let live = row.secrets.iter().filter(|row| row.secret.is_live(now));
    let shown = |hint: &str| if hint.is_empty() { "no hint".to_owned() } else { hint.to_owned() };
    live.map(|row| LiveCredential {
        id: row.secret.id.to_string(),
        kind: "client_secret".to_owned(),
        value: row.name.clone().unwrap_or_else(|| shown(&row.secret.hint)),
        created_by: LiveCredential::UNKNOWN.to_owned(),
        place: None,
    })
    .collect()
}

/// The credentials in the fields of a client.
fn registered(client: &Client) -> Vec<LiveCredential> {
    let mut found = Vec::new();
    let mut add = |kind: &str, id: String, value: String, place: (&str, String)| {
        found.push(LiveCredential {
            id: format!("{kind}:{id}"),
            kind: kind.to_owned(),
            value,
            created_by: LiveCredential::UNKNOWN.to_owned(),
            place: Some((place.0.to_owned(), place.1)),
        });
    };
    let keys = Client { keys: client.keys.clone(), ..bare(client) };
    let field = text_of(&keys, "jwks").map(|(field, _)| field).unwrap_or_default();
    for key in client.keys.iter().flat_map(|keys| keys.keys().thumbprints()) {
        let text = format!("\"thumbprint\":\"{key}\"");
        add("public_key", key.to_owned(), key.to_owned(), (&field, text));
    }
    if let Some(uri) = &client.jwks_uri {
        add("jwks_uri", name(uri), uri.clone(), ("jwks_uri", uri.clone()));
    }
    for rule in &client.federated.0 {
        let text =
            text_of(&Client { federated: TrustRules(vec![rule.clone()]), ..bare(client) }, "federated");
        let text = text.map(|(_, text)| text).unwrap_or_default();
        let text = text.trim_start_matches('[').trim_end_matches(']').to_owned();
        let value = format!("{} {}", rule.issuer, rule.subject.as_str());
        add("trust_rule", name(&text), value, ("federated", text));
    }
    let subject = Client { certificate_subject: client.certificate_subject.clone(), ..bare(client) };
    if let Some((field, text)) = text_of(&subject, "tls_client_auth_") {
        add("certificate_subject", name(&format!("{field}={text}")), text.clone(), (&field, text));
    }
    if let Some(rotation) = &client.rotation {
        add("rotate", name(&rotation.into), rotation.into.clone(), ("rotate.into", rotation.into.clone()));
    }
    found
}

/// A client with the default settings.
fn bare(client: &Client) -> Client {
    Client::new(client.tenant.clone(), client.id.clone())
}

/// The first field whose name begins with `field` and that has a value, in the form of the audit.
fn text_of(client: &Client, field: &str) -> Option<(String, String)> {
    let mut fields = members(&CLIENT, &ClientSettings::from(client)).into_iter();
    fields.find(|(name, text)| name.starts_with(field) && text != crate::kinds::fields::ABSENT)
}

/// An id that depends on the content, so that nobody can exchange a listed credential for another one.
fn name(content: &str) -> String {
    hex(&digest([content.as_bytes()])[..16])
}

/// Removes these credentials from the fields of the client.
fn remove(client: &mut Client, is_revoked: impl Fn(&str) -> bool) {
    let is_gone = |client: &Client| registered(client).iter().all(|one| is_revoked(&one.id));
    if let Some(keys) = &client.keys
        && keys.keys().thumbprints().any(|key| is_revoked(&format!("public_key:{key}")))
    {
        let mut set: Value = serde_json::from_str(keys.document()).unwrap_or_default();
        if let Some(keys) = set["keys"].as_array_mut() {
            let is_kept = |key: &Value| {
                jwk_thumbprint(key).is_some_and(|key| !is_revoked(&format!("public_key:{key}")))
            };
            keys.retain(is_kept);
        }
        let is_empty = set["keys"].as_array().is_none_or(Vec::is_empty);
        client.keys = if is_empty { None } else { ClientKeys::parse(&set.to_string()).ok() };
    }
    let alone = bare(client);
    if client.jwks_uri.is_some() && is_gone(&Client { jwks_uri: client.jwks_uri.clone(), ..alone.clone() }) {
        client.jwks_uri = None;
    }
    client
        .federated
        .0
        .retain(|rule| !is_gone(&Client { federated: TrustRules(vec![rule.clone()]), ..alone.clone() }));
    let subject = client.certificate_subject.clone();
    if subject.is_some() && is_gone(&Client { certificate_subject: subject, ..alone.clone() }) {
        client.certificate_subject = None;
    }
    if client.rotation.is_some() && is_gone(&Client { rotation: client.rotation.clone(), ..alone }) {
        client.rotation = None;
    }
}

#[cfg(test)]
mod tests {
    use registry::{CertificateSubject, SecretRotation, SubjectKind, TrustRule};
    use tenancy::TenantId;
    use values::Lifetime;

    use super::*;
    use crate::kinds::authority::Actor;
    use crate::kinds::change::{ChangeKind, RowChange};

    const KEY: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

    // [third 22]
    #[test]
    fn each_credential_kind_is_attributed_and_removed_alone() {
        let bare = Client::new(TenantId::parse("t").unwrap(), ClientId::parse("svc").unwrap());
        let hour = Lifetime::from_seconds(3600);
        let full = Client {
            keys: Some(ClientKeys::parse(KEY).unwrap()),
            jwks_uri: Some("https://a.example/jwks".to_owned()),
            federated: TrustRules(["a", "b"].map(|name| TrustRule::new("ci", name)).to_vec()),
            certificate_subject: CertificateSubject::parse(SubjectKind::Dns, "a.example").ok(),
            rotation: Some(SecretRotation { every: hour, into: "vault:a#b".to_owned(), grace: hour }),
            ..bare.clone()
        };
        let found = registered(&full);
        let kinds = Vec::from_iter(found.iter().map(|one| one.kind.as_str()));
        let [_, key, uri, rule, subject, rotate] = LiveCredential::KINDS;
        assert_eq!(kinds, [key, uri, rule, rule, subject, rotate]);
        let actor = Actor { name: "client:t/ops".to_owned(), ..Actor::default() };
        let change = RowChange::new(ChangeKind::Changed, Some(&bare), full.clone()).into();
        let record = AuditRecord::from_change(&change, &actor, Timestamp::from_seconds(1));
        let mut live = LiveCredentials { client: full.id.clone(), found: found.clone() };
        let is_open = live.note(&record);
        assert!(!is_open, "{live:?}\n{record:?}");
        for gone in &found {
            let mut after = full.clone();
            remove(&mut after, |id| id == gone.id);
            let expected = Vec::from_iter(found.iter().filter(|one| *one != gone).cloned());
            assert_eq!(registered(&after), expected);
        }
    }
}
