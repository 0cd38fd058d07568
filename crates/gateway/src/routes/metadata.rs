//! Authorization server metadata, at both forms of RFC 8414 §3 and at the OpenID form (§5).

use actix_web::HttpResponse;
use actix_web::web::Data;
use protocol::{AuthorizationServerMetadata, GrantType};
use tenancy::Tenant;

use crate::Services;
use crate::options::{MutualTls, PublicUrl};
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, fresh_json};

pub(crate) async fn metadata(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    mutual_tls: Data<MutualTls>,
    raw: RawRequest,
) -> Result<HttpResponse, OAuthError> {
    let tenant = services.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let base = format!("{}/api/v1/tenant/{}", public_url.0, tenant.id);
    let issuer = tenant.issuer.as_str();
    let document = AuthorizationServerMetadata::new(issuer, &base, grants(&tenant), scopes(&tenant));
    if !mutual_tls.is_served {
        return fresh_json(&document);
    }
    let alias = mutual_tls.url.as_ref().map(|url| format!("{url}/api/v1/tenant/{}", tenant.id));
    fresh_json(&document.with_client_certificates(alias.as_deref()))
}

/// None where the token endpoint refuses all of them.
fn grants(tenant: &Tenant) -> &'static [GrantType] {
    if tenant.access_token.format.is_served() { &GrantType::SERVED } else { &[] }
}

/// Who administers is nobody's to read here.
fn scopes(tenant: &Tenant) -> Vec<String> {
    let declared = tenant.resource_servers.iter().flat_map(|server| server.scopes.iter());
    let public = declared.filter(|scope| !scope.is_reserved());
    let mut scopes: Vec<String> = public.map(|scope| scope.as_str().to_owned()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
