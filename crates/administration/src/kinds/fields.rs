//! Rows as named fields in text, to compare, show and record them. The fields of a row are the members of its
//! document, so a new member is compared automatically.

use indexmap::IndexMap;
use keys::jwk_thumbprint;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenancy::TokenFormat;
use values::Lifetime;

use crate::documents::Shape;
use crate::kinds::Kind;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The name in the configuration.
    pub field: String,
    /// `None` if the row is new.
    pub before: Option<String>,
    pub after: String,
}

impl FieldChange {
    pub(crate) fn between<T: Kind>(before: Option<&T>, after: &T) -> Vec<Self> {
        let is_new = before.is_none();
        let mut old: IndexMap<String, String> =
            before.map(T::fields).unwrap_or_default().into_iter().collect();
        // An absent object has no members, so the row may have had fields that it no longer has.
        let with_old = after.fields().into_iter().map(|(field, after)| {
            let before = old.shift_remove(&field).or_else(|| (!is_new).then(|| ABSENT.to_owned()));
            Self { field, before, after }
        });
        let mut changes: Vec<_> = with_old.collect();
        let gone = |(field, before)| Self { field, before: Some(before), after: ABSENT.to_owned() };
        changes.extend(old.into_iter().map(gone));
        changes.retain(|change| change.before.as_ref() != Some(&change.after));
        changes
    }
}

impl FieldChange {
    /// Whether tokens of an existing row become opaque.
    pub(crate) fn hides_tokens(&self) -> bool {
        self.field == "access_token.format"
            && self.before.is_some()
            && self.after == TokenFormat::Opaque.as_str()
    }
}

/// The text of a field without a value.
pub(crate) const ABSENT: &str = "none";

/// A value of a document. Objects keep the order of their members, which `Value` would sort.
#[derive(Deserialize)]
#[serde(untagged)]
enum DocumentValue {
    Object(IndexMap<String, Self>),
    Value(Value),
}

/// All members of a document that are not objects themselves, in the order of its type.
pub(crate) fn members(shape: &Shape, document: &impl Serialize) -> Vec<(String, String)> {
    let text = serde_json::to_string(document).expect("documents are plain JSON");
    let mut found = Vec::new();
    add(&mut found, shape, "", serde_json::from_str(&text).expect("documents are plain JSON"));
    found
}

fn add(found: &mut Vec<(String, String)>, shape: &Shape, path: &str, member: DocumentValue) {
    let value = match member {
        DocumentValue::Object(names) if matches!(shape, Shape::Described) => {
            names.into_iter().map(described).collect()
        }
        DocumentValue::Object(members) => {
            for (name, member) in members {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                add(found, shape.member(&name).unwrap_or(&Shape::Any), &below, member);
            }
            return;
        }
        DocumentValue::Value(value) => value,
    };
    let text = match value {
        Value::Null => ABSENT.to_owned(),
        Value::String(text) => text,
        Value::Array(items) => {
            // Scopes contain no spaces (RFC 6749 §3.3).
            let quote = if path == "scopes" { str::to_owned } else { quoted };
            let item = |item: &Value| item.as_str().map_or_else(|| brief_key(item).to_string(), quote);
            let items: Vec<_> = items.iter().map(item).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Number(number) if matches!(shape, Shape::Span) => {
            Lifetime::from_seconds(number.as_u64().unwrap_or_default()).to_string()
        }
        value => value.to_string(),
    };
    // In these two cases the name of the object says enough.
    let name = path.trim_start_matches("token.").trim_end_matches(".enabled");
    found.push((name.to_owned(), text));
}

/// A name with its description, if there is one.
fn described((name, text): (String, DocumentValue)) -> String {
    match text {
        DocumentValue::Value(Value::String(text)) if !text.is_empty() => format!("{name}={text:?}"),
        _ => name,
    }
}

/// Replaces the numbers of a public key by its thumbprint, which people can compare.
fn brief_key(key: &Value) -> Value {
    let (Some(thumbprint), Value::Object(members)) = (jwk_thumbprint(key), key) else { return key.clone() };
    let mut shown = members.clone();
    shown.retain(|name, _| !["n", "e", "crv", "x", "y"].contains(&name.as_str()));
    shown.insert("thumbprint".to_owned(), thumbprint.into());
    shown.into()
}

/// An item of a list. Items with spaces are quoted, so that different lists have different texts.
fn quoted(value: &str) -> String {
    let is_plain = !value.is_empty() && !value.contains([' ', '"', '[', ']']);
    if is_plain { value.to_owned() } else { format!("{value:?}") }
}

#[cfg(test)]
mod tests {
    use protocol::Scope;
    use registry::{Client, ClientKeys};
    use tenancy::Issuer;
    use values::Lifetime;

    use super::*;
    use crate::edit::test_states::{set_token_lifetime, state};

    fn text(row: &impl Kind) -> String {
        row.fields().into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn tenant_fields_follow_the_document_order() {
        let mut tenant = state("t").tenant;
        assert_eq!(
            text(&tenant),
            "name=t; issuer=https://id.example.com/api/v1/tenant/t; issuer_aliases=[thunder]; \
             strategies.oauth2=true; strategies.oidc=false; stale_if_error=15m; signing.algorithm=RS256; \
             signing.rotate_every=90d; signing.publish_before=1d; signing.jwks_max_age=5m; \
             signing.jwks_stale=1m; signing.skew=1m; signing.rsa_bits=2048; signing.kid=numbered; signing.hold_activation=none; \
             access_token.lifetime=1h; access_token.format=jwt; access_token.reuse=0%; access_token.typ=at+jwt; \
             access_token.require_sender_constraint=false; access_token.require_dpop_nonce=false; \
             assertions.audience=any; assertions.max_lifetime=1h; \
             client_ca=none; api_keys=none; leaks.action=end; leaks.grace=1d; \
             refresh_token.rotation=public; refresh_token.grace=30s; refresh_token.idle=30d; refresh_token.absolute=180d; \
             sign_in.session.idle=8h; sign_in.session.absolute=1d; sign_in.session.remember=30d; sign_in.recovery=true; \
             subject=public; userinfo=combined; groups=none; \
             branding.primary=#1f5fbf; branding.background=#ffffff; branding.corners=round; branding.font=system; \
             branding.logo=none; branding.logo_dark=none; \
             branding.support_url=none; branding.terms_url=none; branding.privacy_url=none; \
             limits.failed_attempts=none; \
             limits.clients=none; limits.admin_writes=none; limits.live_secrets=none; \
             limits.api_keys=none; \
             limits.sign_in.account=none; limits.sign_in.known_browser=none; limits.sign_in.source=none"
        );
        let server = &mut tenant.resource_servers[0];
        assert_eq!(text(server), "scopes=[read write]; clients=[]; access_token.format=none");
        server.scope_descriptions.insert("read".to_owned(), "Read".to_owned());
        assert_eq!(text(server), r#"scopes=[read="Read" write]; clients=[]; access_token.format=none"#);
        tenant.signing.hold_activation = Some(Lifetime::from_seconds(60));
        assert!(text(&tenant).contains("hold_activation=1m"));
    }

    #[test]
    fn absent_object_changes_no_other_field() {
        let client = state("t").clients.remove(0).client;
        let (every, grace) = (Lifetime::from_seconds(7200), Lifetime::from_seconds(60));
        let rotation = registry::SecretRotation { every, into: "vault:a#b".to_owned(), grace };
        let scheduled = Client { rotation: Some(rotation), ..client.clone() };
        let members = [("rotate.every", "2h"), ("rotate.into", "vault:a#b"), ("rotate.grace", "1m")];
        let change = |field: &str, before: &str, after: &str| FieldChange {
            field: field.to_owned(),
            before: Some(before.to_owned()),
            after: after.to_owned(),
        };
        let gained = members.map(|(field, value)| change(field, ABSENT, value));
        let lost = members.map(|(field, value)| change(field, value, ABSENT));
        assert_eq!(FieldChange::between(Some(&client), &scheduled), gained);
        assert_eq!(FieldChange::between(Some(&scheduled), &client), lost);
    }

    #[test]
    fn client_fields_follow_the_document_order() {
        let mut client = state("t").clients.remove(0).client;
        let plain = text(&client);
        client.issuer = Issuer::parse("thunder").ok();
        client.resources = ["a b", "", "https://[::1]", "c"].map(str::to_owned).into();
        client.scope = Scope::parse("x[1] y").unwrap();
        set_token_lifetime(&mut client, 7);
        client.keys = Some(ClientKeys::from(r#"{"keys":[{"kty":"OKP","kid":"k","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#.to_owned()));
        let changed = text(&client);
        let changes: Vec<_> = plain.split("; ").zip(changed.split("; ")).filter(|(a, b)| a != b).collect();
        assert_eq!(changes.len(), 5);
        assert_eq!(changes[0], ("resources=[]", r#"resources=["a b" "" "https://[::1]" c]"#));
        assert_eq!(changes[1], ("scopes=[read]", "scopes=[x[1] y]"));
        assert!(changes[2].0.ends_with("=none") && changes[2].1.ends_with("=7s"));
        assert_eq!(changes[3], ("issuer=none", "issuer=thunder"));
        let keys = r#"jwks.keys=[{"kid":"k","kty":"OKP","thumbprint":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}]"#;
        assert_eq!(changes[4], ("jwks=none", keys));
        let (first, last) = ("name=svc; description=none; ", "; introspection=own");
        assert!(plain.starts_with(first) && plain.ends_with(last), "{plain}");
        let between = "; token_endpoint_auth_method=any; grant_types=[client_credentials]; audiences=[api]; ";
        assert!(plain.contains(between), "{plain}");
    }
}
