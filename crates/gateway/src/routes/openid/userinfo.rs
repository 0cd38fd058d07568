//! `GET` and `POST …/oauth/userinfo`: claims about the person of an access token (OpenID Connect Core §5.3).

use actix_web::web::Data;
use grants::{BearerError, ResourceRequirement, userinfo as userinfo_of};
use keys::TokenError;
use protocol::{ErrorResponse, Form, PresentedToken, RefusalReason, Scope};
use registry::ClaimPlace;
use serde_json::{Map, Value};

use crate::Services;
use crate::request::{RawRequest, TenantRequest};
use crate::respond::{OAuthError, OAuthResult, secret_json};
use crate::routes::token::log_groups_left_out;

const OPENID: &str = "openid";

pub(crate) async fn userinfo(services: Data<Services>, mut raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    raw.serve(&services, &tenant);
    let realm = tenant.issuer.as_str();
    let token = token(&mut raw).await?.ok_or_else(|| OAuthError::bearer_required(realm))?;
    let request = TenantRequest { services: &services, tenant: &tenant, raw: &raw, now: (services.clock)() };
    let claims = claims(request, &token).await;
    let claims = claims.map_err(|refusal| refusal.in_resource_realm(token.scheme, realm, Some(OPENID)))?;
    let mut response = secret_json(&claims)?;
    request.supply_nonce(&mut response);
    Ok(response)
}

/// From the header or from a form (RFC 6750 §2.1, §2.2). "Clients MUST NOT use more than one method
/// to transmit the token in each request" (RFC 6750 §2).
async fn token(raw: &mut RawRequest) -> OAuthResult<Option<PresentedToken>> {
    let of_header = PresentedToken::from_authorization(raw.authorization()?);
    if !raw.writes() || (of_header.is_some() && !raw.has_form()) {
        return Ok(of_header);
    }
    let body = raw.form().await?;
    let of_form = Form::parse(&body)?.take_secret("access_token")?.map(PresentedToken::of_form);
    if of_header.is_some() && of_form.is_some() {
        let description = "The access token was sent in the header and in the form";
        return Err(ErrorResponse::invalid_request(RefusalReason::RepeatedParameter, description).into());
    }
    Ok(of_header.or(of_form))
}

async fn claims(request: TenantRequest<'_>, token: &PresentedToken) -> OAuthResult<Map<String, Value>> {
    let TenantRequest { services, tenant, raw, now } = request;
    // The audience must contain the issuer. A token for an API is refused.
    let resource = ResourceRequirement {
        tenant: tenant.id.to_string(),
        audience: tenant.issuer.as_str().to_owned(),
        required_scope: Scope::parse(OPENID).unwrap_or_default(),
    };
    let admitted = services.tokens.engine.admit(tenant, token, &resource, now).await?;
    let claims = request.confirm(token, admitted).await?;
    raw.log(|fields| fields.client = claims.client_id.parse().ok());
    let found = match services.tokens.engine.person_of(tenant, &claims).await?.map_err(BearerError::from)? {
        Some(person) => {
            let account = services.rows.accounts.find_account(&tenant.id, &person.account).await?;
            match account {
                Some(account) => {
                    let groups = services.tokens.engine.granted_groups(tenant, &claims, &account).await?;
                    let left_out =
                        groups.as_ref().and_then(|groups| groups.left_out(&[ClaimPlace::Userinfo]));
                    log_groups_left_out(tenant, &claims.client_id, left_out);
                    userinfo_of(&claims, &person, &account, groups.as_ref())
                }
                None => None,
            }
        }
        // A client's own token has no person.
        None => None,
    };
    found.ok_or_else(|| OAuthError::from(BearerError::from(TokenError::Revoked)))
}
