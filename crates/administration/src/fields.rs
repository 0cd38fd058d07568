//! Rows as named fields in text, for comparing, showing and recording them. Each row is taken apart by name, so that a new field
//! does not compile until it is compared too.

use registry::Client;
use tenancy::{AccessTokenPolicy, ResourceServer, SigningPolicy, Strategies, Tenant};

use crate::Application;

/// A row that can be told field by field. What only the store decides (status, former `typ` values, secrets) is left out.
pub trait Described {
    /// Names, as in configuration, and values.
    fn fields(&self) -> Vec<(&'static str, String)>;
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name in configuration.
    pub field: &'static str,
    /// Its value until now; absent where the row is new.
    pub before: Option<String>,
    /// Its value from now on.
    pub after: String,
}

impl FieldChange {
    pub(crate) fn between<T: Described>(before: Option<&T>, after: &T) -> Vec<Self> {
        let old = before.map(T::fields).unwrap_or_default();
        let of = |index: usize| old.get(index).map(|(_, value)| value.clone());
        let all = after.fields().into_iter().enumerate();
        all.map(|(index, (field, after))| Self { field, before: of(index), after })
            .filter(|change| change.before.as_ref() != Some(&change.after))
            .collect()
    }
}

impl Described for Tenant {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let Self {
            id: _,
            name,
            issuer,
            issuer_aliases,
            status: _,
            strategies,
            stale_if_error,
            signing,
            access_token,
            resource_servers: _,
        } = self;
        let Strategies { oauth2, oidc } = strategies;
        let SigningPolicy {
            algorithm,
            rotate_every,
            publish_before,
            jwks_max_age,
            jwks_stale,
            skew,
            rsa_bits,
            hold_activation,
        } = signing;
        let AccessTokenPolicy { lifetime, format, typ, previous_typs: _ } = access_token;
        vec![
            ("name", name.clone()),
            ("issuer", issuer.to_string()),
            ("issuer_aliases", list(issuer_aliases)),
            ("strategies.oauth2", oauth2.to_string()),
            ("strategies.oidc", oidc.to_string()),
            ("stale_if_error", seconds(*stale_if_error)),
            ("signing.algorithm", algorithm.to_string()),
            ("signing.rotate_every", seconds(*rotate_every)),
            ("signing.publish_before", seconds(*publish_before)),
            ("signing.jwks_max_age", seconds(*jwks_max_age)),
            ("signing.jwks_stale", seconds(*jwks_stale)),
            ("signing.skew", seconds(*skew)),
            ("signing.rsa_bits", rsa_bits.to_string()),
            ("signing.hold_activation", hold_activation.map_or_else(absent, seconds)),
            ("access_token.lifetime", seconds(*lifetime)),
            ("access_token.format", format.as_str().to_owned()),
            ("access_token.typ", typ.clone()),
        ]
    }
}

impl Described for ResourceServer {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let Self { audience: _, scopes, introspection_clients } = self;
        vec![("scopes", format!("[{scopes}]")), ("clients", list(introspection_clients))]
    }
}

impl Described for Client {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let Self {
            tenant: _,
            id: _,
            name,
            status: _,
            authentication_method,
            grant_types,
            audiences,
            resources,
            scope,
            access_token_lifetime,
            issuer,
            introspection,
            secrets: _,
        } = self;
        vec![
            ("name", name.clone()),
            ("token_endpoint_auth_method", authentication_method.to_string()),
            ("grant_types", list(grant_types)),
            ("audiences", list(audiences)),
            ("resources", list(resources)),
            ("scopes", format!("[{scope}]")),
            ("access_token_lifetime", access_token_lifetime.map_or_else(absent, seconds)),
            ("issuer", issuer.as_ref().map_or_else(absent, ToString::to_string)),
            ("introspection", introspection.as_str().to_owned()),
        ]
    }
}

impl Described for Application {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let Self { tenant: _, id: _, name, client, document, created_at: _ } = self;
        let client = client.as_ref().map_or_else(absent, ToString::to_string);
        vec![("name", name.clone()), ("client_id", client), ("document", document.to_string())]
    }
}

fn seconds(lifetime: protocol::Lifetime) -> String {
    format!("{}s", lifetime.seconds())
}

fn absent() -> String {
    "none".to_owned()
}

/// Quotes each value that holds a space, so that two lists with the same text are the same list.
fn list<T: ToString>(values: &[T]) -> String {
    let quoted = |value: &T| match value.to_string() {
        plain if !plain.is_empty() && !plain.contains([' ', '"', '[', ']']) => plain,
        other => format!("{other:?}"),
    };
    format!("[{}]", values.iter().map(quoted).collect::<Vec<_>>().join(" "))
}
