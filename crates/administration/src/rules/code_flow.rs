//! The rules for a client's registration at the authorization endpoint.

use protocol::{ClientAuthenticationMethod, GrantType, OFFLINE_ACCESS, check_redirect_uri};
use registry::CodeFlow;
use tenancy::{Tenant, UserinfoTokens};

use super::{FieldErrors, groups, refresh_token, subject};
use crate::documents::ClientSettings;

/// The most URIs in one list of a client.
const MOST_URIS: usize = 50;

/// Returns the registration. If there are errors, it must not be used.
pub(super) fn check_code_flow(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    settings: &ClientSettings,
) -> CodeFlow {
    let is_public = settings.token_endpoint_auth_method == ClientAuthenticationMethod::None.as_str();
    check_uris(errors, "/redirect_uris", &settings.redirect_uris, is_public);
    check_uris(errors, "/post_logout_redirect_uris", &settings.post_logout_redirect_uris, is_public);
    if is_public && !settings.require_pkce {
        // RFC 9700 §2.1.1: "Public clients MUST use PKCE".
        let detail = "a public client must use PKCE in every request (RFC 9700 §2.1.1)";
        errors.refuse("/require_pkce", detail, "remove it, or choose another method");
    }
    let grants_codes = settings.grant_types.iter().any(|name| name == GrantType::AuthorizationCode.as_str());
    if grants_codes && settings.redirect_uris.is_empty() {
        let detail = "a client with the grant type authorization_code needs a redirect URI";
        errors.refuse(
            "/redirect_uris",
            detail,
            "add the URI that receives the response, such as `https://app.example.com/callback`",
        );
    }
    let refreshes = settings.grant_types.iter().any(|name| name == GrantType::RefreshToken.as_str());
    let offline = settings.scopes.iter().position(|scope| scope == OFFLINE_ACCESS);
    if let Some(index) = offline.filter(|_| !refreshes) {
        let detail = "the scope offline_access requires refresh tokens (OpenID Connect Core §11)";
        let hint = "add refresh_token to grant_types, or remove the scope";
        errors.refuse(&format!("/scopes/{index}"), detail, hint);
    }
    let flow = CodeFlow {
        redirect_uris: settings.redirect_uris.clone(),
        post_logout_redirect_uris: settings.post_logout_redirect_uris.clone(),
        first_party: settings.first_party,
        require_pkce: settings.require_pkce,
        require_par: settings.require_par,
        backchannel_logout_uri: check_backchannel_logout_uri(errors, settings),
        backchannel_logout_session_required: settings.backchannel_logout_session_required,
        subject_type: subject::check_subject_type(errors, settings),
        sector_identifier_uri: subject::check_sector_identifier_uri(errors, settings),
        claims_in_id_token: settings.claims_in_id_token,
        groups: groups::check_claim(errors, &settings.groups),
        userinfo: check_userinfo(errors, settings.userinfo.as_deref()),
        default_max_age: settings.default_max_age,
        refresh_token: refresh_token::check_own(errors, &settings.refresh_token),
        popup: settings.popup,
    };
    subject::check_sector(errors, tenant, settings, &flow);
    flow
}

fn check_userinfo(errors: &mut FieldErrors, name: Option<&str>) -> Option<UserinfoTokens> {
    errors.check_one_of("/userinfo", name?, &UserinfoTokens::NAMED)
}

/// http URLs must have a loopback address, because http names are never resolved. The outbound networks of
/// the server must allow the address.
fn check_backchannel_logout_uri(errors: &mut FieldErrors, settings: &ClientSettings) -> Option<String> {
    const AT: &str = "/backchannel_logout_uri";
    let uri = settings.backchannel_logout_uri.as_ref()?;
    if let Err(error) = check_redirect_uri(uri, false) {
        errors.refuse(AT, error.to_string(), "use the https URL where the client receives logout tokens");
    } else if uri.starts_with("http://localhost") {
        let detail = "http is allowed only for a loopback address, and this is a name";
        errors.refuse(AT, detail, "write `http://127.0.0.1` with the port, or an https URL");
    }
    Some(uri.clone())
}

fn check_uris(errors: &mut FieldErrors, at: &str, uris: &[String], is_public: bool) {
    if uris.len() > MOST_URIS {
        errors.refuse(
            at,
            format!("a client can have at most {MOST_URIS} of these"),
            "register another client",
        );
        return;
    }
    errors.check_distinct(at, uris);
    for (index, uri) in uris.iter().enumerate() {
        if let Err(error) = check_redirect_uri(uri, is_public) {
            errors.refuse(
                &format!("{at}/{index}"),
                error.to_string(),
                "write it exactly as the client sends it",
            );
        }
    }
}
