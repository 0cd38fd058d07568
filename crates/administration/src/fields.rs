//! Rows as named fields in text, for comparing, showing and recording them. The fields of a row are the members of its document, so that
//! a new member is compared, too.

use std::fmt;

use registry::Client;
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use tenancy::{ResourceServer, Tenant};

use crate::documents::{CLIENT, RESOURCE_SERVER, TENANT};
use crate::{Application, ClientSettings, ResourceServerSettings, Shape, TenantSettings};

/// A row with fields. What only the store decides (status, previous `typ` values, secrets) is none of them.
pub trait Described {
    /// Names, as in configuration, and values, in the order of the document.
    fn fields(&self) -> Vec<(String, String)>;
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name in configuration.
    pub field: String,
    /// Its value until now; absent where the row is new.
    pub before: Option<String>,
    /// Its value from now on.
    pub after: String,
}

impl FieldChange {
    pub(crate) fn between<T: Described>(before: Option<&T>, after: &T) -> Vec<Self> {
        let mut old = before.map(T::fields).unwrap_or_default().into_iter();
        let with_old = after.fields().into_iter().map(|(field, after)| {
            let before = old.next().map(|(_, value)| value);
            Self { field, before, after }
        });
        with_old.filter(|change| change.before.as_ref() != Some(&change.after)).collect()
    }
}

impl Described for Tenant {
    fn fields(&self) -> Vec<(String, String)> {
        let mut settings = TenantSettings::from(self);
        // They are rows with fields of their own.
        settings.resource_servers.clear();
        members(&TENANT, &settings)
    }
}

impl Described for ResourceServer {
    fn fields(&self) -> Vec<(String, String)> {
        members(&RESOURCE_SERVER, &ResourceServerSettings::from(self))
    }
}

impl Described for Client {
    fn fields(&self) -> Vec<(String, String)> {
        members(&CLIENT, &ClientSettings::from(self))
    }
}

impl Described for Application {
    fn fields(&self) -> Vec<(String, String)> {
        let Self { tenant: _, id: _, name, client, document, created_at: _ } = self;
        let client = client.as_ref().map_or_else(|| ABSENT.to_owned(), ToString::to_string);
        let fields = [("name", name.clone()), ("client_id", client), ("document", document.to_string())];
        fields.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

const ABSENT: &str = "none";

/// The members of a document that are no objects. Its text has them in the order of the type; a `Value` would sort them.
fn members(shape: &Shape, document: &impl Serialize) -> Vec<(String, String)> {
    let text = serde_json::to_string(document).expect("documents are plain JSON");
    let mut found = Vec::new();
    let members = Members { shape, path: "", found: &mut found };
    members.deserialize(&mut serde_json::Deserializer::from_str(&text)).expect("documents are plain JSON");
    found
}

/// Collects a value and the members below it.
struct Members<'a> {
    shape: &'a Shape,
    path: &'a str,
    found: &'a mut Vec<(String, String)>,
}

impl Members<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "what a visitor returns")]
    fn add<E>(self, value: impl ToString) -> Result<(), E> {
        // The names of these two say less than those of the objects around them.
        let name = self.path.trim_start_matches("token.").trim_end_matches(".enabled");
        self.found.push((name.to_owned(), value.to_string()));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.add(ABSENT)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.add(value)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        let unit = if matches!(self.shape, Shape::Span) { "s" } else { "" };
        self.add(format!("{number}{unit}"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.add(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<String>()? {
            // No scope has a space (RFC 6749 §3.3).
            list.push(if self.path == "scopes" { item } else { quoted(item) });
        }
        self.add(format!("[{}]", list.join(" ")))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { shape, path, found } = self;
        while let Some(name) = members.next_key::<String>()? {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let shape = shape.member(&name).unwrap_or(&Shape::Any);
            members.next_value_seed(Members { shape, path: &below, found })?;
        }
        Ok(())
    }
}

/// Two lists with the same text are the same list: a value that holds a space is quoted.
fn quoted(value: String) -> String {
    if !value.is_empty() && !value.contains([' ', '"', '[', ']']) { value } else { format!("{value:?}") }
}

#[cfg(test)]
mod tests {
    use protocol::{Lifetime, Scope};
    use tenancy::Issuer;

    use super::*;
    use crate::edit::test_states::{set_token_lifetime, state};

    fn text(row: &impl Described) -> String {
        row.fields().into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_tenant_has_the_fields_of_its_document_in_their_order() {
        let mut tenant = state("t").tenant;
        assert_eq!(
            text(&tenant),
            "name=t; issuer=https://id.example.com/api/v1/tenant/t; issuer_aliases=[thunder]; \
             strategies.oauth2=true; strategies.oidc=false; stale_if_error=900s; signing.algorithm=RS256; \
             signing.rotate_every=7776000s; signing.publish_before=86400s; signing.jwks_max_age=300s; \
             signing.jwks_stale=60s; signing.skew=60s; signing.rsa_bits=2048; signing.hold_activation=none; \
             access_token.lifetime=3600s; access_token.format=jwt; access_token.typ=at+jwt; limits.failed_attempts=none; \
             limits.clients=none; limits.admin_writes=none; limits.live_secrets=none"
        );
        assert_eq!(text(&tenant.resource_servers[0]), "scopes=[read write]; clients=[]");
        tenant.signing.hold_activation = Some(Lifetime::from_seconds(60));
        assert!(text(&tenant).contains("hold_activation=60s"));
    }

    #[test]
    fn a_client_has_the_fields_of_its_document_in_their_order() {
        let mut client = state("t").clients.remove(0).client;
        let plain = text(&client);
        client.issuer = Issuer::parse("thunder").ok();
        client.resources = ["a b", "", "https://[::1]", "c"].map(str::to_owned).into();
        client.scope = Scope::parse("x[1] y").unwrap();
        set_token_lifetime(&mut client, 7);
        let changed = text(&client);
        let changes: Vec<_> = plain.split("; ").zip(changed.split("; ")).filter(|(a, b)| a != b).collect();
        assert_eq!(changes.len(), 4);
        assert_eq!(changes[0], ("resources=[]", r#"resources=["a b" "" "https://[::1]" c]"#));
        assert_eq!(changes[1], ("scopes=[read]", "scopes=[x[1] y]"));
        assert!(changes[2].0.ends_with("=none") && changes[2].1.ends_with("=7s"));
        assert_eq!(changes[3], ("issuer=none", "issuer=thunder"));
        let (first, last) = (
            "name=svc; description=none; token_endpoint_auth_method=any; grant_types=[client_credentials]; audiences=[api]",
            "introspection=own",
        );
        assert!(plain.starts_with(first) && plain.ends_with(last), "{plain}");
    }
}
