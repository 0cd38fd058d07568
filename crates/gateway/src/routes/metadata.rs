//! Authorization server metadata, at both forms of RFC 8414 §3 and at the OpenID form (§5).

use actix_web::web::Data;
use grants::claims_supported;
use protocol::{AuthorizationServerMetadata, GrantType, OpenIdMetadata, ScopeToken};
use tenancy::Tenant;

use crate::options::PublicUrl;
use crate::request::RawRequest;
use crate::respond::{OAuthResult, fresh_json};
use crate::{Options, Services};

pub(crate) async fn metadata(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    options: Data<Options>,
    raw: RawRequest,
) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let base = format!("{}/api/v1/tenant/{}", public_url.0, tenant.id);
    let issuer = tenant.issuer.as_str();
    let document = AuthorizationServerMetadata::new(issuer, &base, &grants(&tenant), scopes(&tenant));
    let document = if signs_in(&tenant) {
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

/// The grant types that the token endpoint serves for the tenant. None if it refuses all of them.
fn grants(tenant: &Tenant) -> Vec<GrantType> {
    if !tenant.access_token.format.is_served() {
        return Vec::new();
    }
    let served = GrantType::SERVED.into_iter();
    served.filter(|grant| !GrantType::OF_PEOPLE.contains(grant) || signs_in(tenant)).collect()
}

fn signs_in(tenant: &Tenant) -> bool {
    tenant.strategies.oidc && tenant.access_token.format.is_served()
}

/// The public scopes. Metadata does not show which clients can administer.
fn scopes(tenant: &Tenant) -> Vec<String> {
    let declared = tenant.resource_servers.iter().flat_map(|server| server.scopes.iter());
    let public = declared.filter(|scope| !scope.is_reserved());
    let mut scopes: Vec<String> = public.map(|scope| scope.as_str().to_owned()).collect();
    if signs_in(tenant) {
        scopes.extend(ScopeToken::OF_PEOPLE.map(str::to_owned));
    }
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
