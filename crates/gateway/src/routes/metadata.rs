//! Authorization server metadata: at both paths of RFC 8414 §3, at the path of OpenID Connect (§5),
//! and at the paths that follow from a tenant's issuer.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{Either, HttpRequest, HttpResponse};
use grants::claims_supported;
use parking_lot::Mutex;
use protocol::{AuthorizationServerMetadata, GrantType, OpenIdMetadata, ScopeToken};
use tenancy::{Issuer, StoreError, Tenant, TenantError, TenantId, TenantTurns, TokenFormat};
use tokio::time::timeout;

use crate::options::BaseUrl;
use crate::request::RawRequest;
use crate::respond::{OAuthResult, fresh_json};
use crate::{Options, Services};

use super::unknown::unknown_path;

/// Issuers and their tenants. An entry may be outdated, so the caller has to check it.
pub(crate) struct KnownIssuers {
    tenants: Mutex<HashMap<String, TenantId>>,
    /// Anyone can ask for any issuer, and a lookup needs a database connection of the admin pool,
    /// so only one lookup runs at a time.
    lookups: TenantTurns,
}

const KNOWN: usize = 10_000;
/// The number and the duration of waiting lookups.
const WAITING: usize = 256;
const LONGEST_WAIT: Duration = Duration::from_millis(250);

impl Default for KnownIssuers {
    fn default() -> Self {
        Self { tenants: Mutex::default(), lookups: TenantTurns::new(1, WAITING) }
    }
}

/// Metadata at the two paths that follow from an issuer below the public URL: OpenID Connect
/// Discovery §4 appends to the issuer, and RFC 8414 §3.1 inserts before its path. If the public URL
/// has a path, a proxy strips it from the first form; the second form is outside that path.
pub(crate) async fn of_issuer(
    request: HttpRequest,
    services: Data<Services>,
    public_url: Data<BaseUrl>,
    options: Data<Options>,
    known: Data<KnownIssuers>,
    raw: RawRequest,
) -> Either<HttpResponse, OAuthResult> {
    let found = match issuer_at(raw.path(), &public_url.0) {
        Some(issuer) => tenant_of(&services, &public_url.0, &known, &issuer).await,
        None => Err(TenantError::Unknown),
    };
    match found {
        // The same answer as for an unknown path.
        Err(TenantError::Unknown) => Either::Left(unknown_path(request).await),
        found => Either::Right(found.map_err(Into::into).and_then(|tenant| {
            raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
            document(&tenant, &public_url.0, &options)
        })),
    }
}

/// The issuer whose metadata has this path, without a slash at its end.
fn issuer_at(path: &str, public_url: &str) -> Option<String> {
    const APPENDED: &str = "/.well-known/openid-configuration";
    const INSERTED: &str = "/.well-known/oauth-authorization-server";
    let issuer = match path.strip_prefix(INSERTED) {
        Some(rest) => {
            let host = public_url.find("://")? + 3;
            let end = public_url[host..].find('/').map_or(public_url.len(), |at| host + at);
            format!("{}{rest}", &public_url[..end])
        }
        None => format!("{public_url}{}", path.strip_suffix(APPENDED)?),
    };
    let issuer = issuer.trim_end_matches('/');
    let below = issuer.strip_prefix(public_url)?;
    (below.is_empty() || below.starts_with('/')).then(|| issuer.to_owned())
}

/// The issuer may end with a slash. A path that names a tenant finds it even if the tenant has
/// another issuer.
async fn tenant_of(
    services: &Services,
    public_url: &str,
    known: &KnownIssuers,
    issuer: &str,
) -> Result<Arc<Tenant>, TenantError> {
    let below = issuer.strip_prefix(public_url).and_then(|path| path.strip_prefix("/api/v1/tenant/"));
    if let Some(id) = below {
        return services.tokens.tenants.resolve_authorization_server(id).await;
    }
    let spellings = [issuer.to_owned(), format!("{issuer}/")];
    let spellings: Vec<Issuer> = spellings.iter().filter_map(|text| Issuer::parse(text).ok()).collect();
    // Checks the tenant: a deleted tenant keeps its issuers, and an alias has no metadata.
    let named = async |tenant: &TenantId| match services
        .tokens
        .tenants
        .resolve_authorization_server(tenant.as_str())
        .await
    {
        Err(TenantError::Unknown) => Ok(None),
        Ok(found) if !spellings.contains(&found.issuer) => Ok(None),
        found => found.map(Some),
    };
    let remembered = known.tenants.lock().get(issuer).cloned();
    if let Some(id) = remembered
        && let Some(tenant) = named(&id).await?
    {
        return Ok(tenant);
    }
    let turn = timeout(LONGEST_WAIT, known.lookups.take(&TenantId::platform())).await;
    let turn = turn.map_err(StoreError::unavailable)?.map_err(StoreError::unavailable)?;
    let mut owners = services.administrator.issuer_owners(&spellings).await?;
    drop(turn);
    // The exact spelling first.
    owners.sort();
    for (_, id) in owners {
        if let Some(tenant) = named(&id).await? {
            let mut tenants = known.tenants.lock();
            if tenants.len() >= KNOWN {
                tenants.clear();
            }
            tenants.insert(issuer.to_owned(), id);
            return Ok(tenant);
        }
    }
    Err(TenantError::Unknown)
}

pub(crate) async fn metadata(
    services: Data<Services>,
    public_url: Data<BaseUrl>,
    options: Data<Options>,
    raw: RawRequest,
) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    document(&tenant, &public_url.0, &options)
}

fn document(tenant: &Tenant, public_url: &str, options: &Options) -> OAuthResult {
    let base = format!("{public_url}/api/v1/tenant/{}", tenant.id);
    let issuer = tenant.issuer.as_str();
    let document = AuthorizationServerMetadata {
        access_token_formats_supported: formats(tenant),
        ..AuthorizationServerMetadata::new(issuer, &base, &grants(tenant), scopes(tenant))
    };
    let document = if tenant.strategies.oidc {
        let claims = claims_supported().collect();
        document.with_openid(OpenIdMetadata::new(&base, tenant.signing.algorithm, claims))
    } else {
        document
    };
    if !options.reads_client_certificates() {
        return fresh_json(&document);
    }
    let base = options.mtls_url.as_deref().map(|url| url.trim_end_matches('/'));
    let alias = base.map(|base| format!("{base}/api/v1/tenant/{}", tenant.id));
    fresh_json(&document.with_client_certificates(alias.as_deref()))
}

fn grants(tenant: &Tenant) -> Vec<GrantType> {
    let served = GrantType::SERVED.into_iter();
    served.filter(|grant| !GrantType::OF_PEOPLE.contains(grant) || tenant.strategies.oidc).collect()
}

/// The formats of the tenant's tokens, if some are opaque. Clients may have their own, which are not public.
fn formats(tenant: &Tenant) -> Vec<&'static str> {
    let own = tenant.resource_servers.iter().filter_map(|server| server.token_format);
    let formats = BTreeSet::from_iter(own.chain([tenant.access_token.format]));
    let is_named = formats.contains(&TokenFormat::Opaque);
    formats.into_iter().filter(|_| is_named).map(TokenFormat::as_str).collect()
}

/// Without the permissions of administrators, because metadata must not show which clients can
/// administer.
fn scopes(tenant: &Tenant) -> Vec<String> {
    let declared = tenant.resource_servers.iter().flat_map(|server| server.scopes.iter());
    let public = declared.filter(|scope| !scope.is_reserved());
    let mut scopes: Vec<String> = public.map(|scope| scope.as_str().to_owned()).collect();
    if tenant.strategies.oidc {
        scopes.extend(ScopeToken::OF_PEOPLE.map(str::to_owned));
    }
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_is_derived_from_the_metadata_path() {
        const APPENDED: &str = "/.well-known/openid-configuration";
        const INSERTED: &str = "/.well-known/oauth-authorization-server";
        for (public_url, path, expected) in [
            ("http://h:1", APPENDED.to_owned(), Some("http://h:1")),
            ("http://h:1", INSERTED.to_owned(), Some("http://h:1")),
            ("http://h:1", format!("/{APPENDED}"), Some("http://h:1")),
            ("http://h:1", format!("{INSERTED}/"), Some("http://h:1")),
            ("http://h:1", format!("/login/blue{APPENDED}"), Some("http://h:1/login/blue")),
            ("http://h:1", format!("/login/blue/{APPENDED}"), Some("http://h:1/login/blue")),
            ("http://h:1", format!("{INSERTED}/login/blue"), Some("http://h:1/login/blue")),
            ("http://h:1", format!("{INSERTED}/login/blue/"), Some("http://h:1/login/blue")),
            ("https://h/auth", APPENDED.to_owned(), Some("https://h/auth")),
            ("https://h/auth", format!("/blue{APPENDED}"), Some("https://h/auth/blue")),
            ("https://h/auth", format!("{INSERTED}/auth"), Some("https://h/auth")),
            ("https://h/auth", format!("{INSERTED}/auth/blue"), Some("https://h/auth/blue")),
            ("https://h/auth", format!("{INSERTED}/blue"), None),
            ("https://h/auth", format!("{INSERTED}/authority"), None),
            ("https://h/auth", INSERTED.to_owned(), None),
            ("https://h", format!("{INSERTED}.evil.example/x"), None),
        ] {
            assert_eq!(issuer_at(&path, public_url).as_deref(), expected, "{path} at {public_url}");
        }
    }
}
