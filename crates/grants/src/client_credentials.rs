//! The client credentials grant: a client asks on its own behalf (RFC 6749 §4.4, RFC 8707 §2.1).

use protocol::{
    Audience, ErrorCode, ErrorResponse, GrantType, ResourceIndicator, Scope, ScopeToken, Timestamp,
};
use tenancy::TokenFormat;

use crate::{AccessTokenClaims, Grantee, JwtId};

/// What the client asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientCredentialsRequest<'a> {
    /// The scope; `None` asks for all that is registered.
    pub(crate) scope: Option<&'a Scope>,
    /// Where the token is to be used; none means the client's audiences.
    pub(crate) resources: &'a [ResourceIndicator],
}

/// A token that may be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) claims: AccessTokenClaims,
    pub(crate) scope: Scope,
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the client is not registered for the client credentials grant")]
    GrantNotRegistered,
    #[error("the scope is more than the client may have")]
    ScopeNotAllowed,
    #[error("the resource is not the client's to ask for")]
    ResourceNotAllowed,
    #[error("the tenant asks for opaque tokens, which are not served")]
    FormatNotServed,
}

/// Judges the request. A scope is granted whole or refused: a token that silently lacks one fails later, at somebody else.
pub(crate) fn decide(
    request: &ClientCredentialsRequest<'_>,
    grantee: &Grantee<'_>,
    now: Timestamp,
    jti: &JwtId,
) -> Result<Grant, Refusal> {
    if !grantee.client.grant_types.contains(&GrantType::ClientCredentials) {
        return Err(Refusal::GrantNotRegistered);
    }
    if grantee.tenant.access_token.format != TokenFormat::Jwt {
        return Err(Refusal::FormatNotServed);
    }
    let aud = audience(request.resources, grantee)?;
    let scope = scope(request, grantee)?;
    let claims = AccessTokenClaims {
        iss: grantee.issuer(),
        sub: grantee.client.id.to_string(),
        aud,
        exp: now + grantee.lifetime(),
        iat: now,
        nbf: now,
        jti: jti.to_string(),
        scope: (!scope.is_empty()).then(|| scope.to_string()),
        client_id: grantee.client.id.to_string(),
    };
    Ok(Grant { claims, scope })
}

/// One resource is a string and several are an array (RFC 8707 §2); audiences from configuration are an array; where neither is
/// there, the client itself (a departure from RFC 9068 §3, which wants a default resource).
fn audience(resources: &[ResourceIndicator], grantee: &Grantee<'_>) -> Result<Audience, Refusal> {
    let client = grantee.client;
    let mut asked: Vec<String> = Vec::with_capacity(resources.len());
    for resource in resources.iter().map(ResourceIndicator::as_str) {
        if !client.audiences.iter().chain(&client.resources).any(|allowed| allowed == resource) {
            return Err(Refusal::ResourceNotAllowed);
        }
        if !asked.iter().any(|known| known == resource) {
            asked.push(resource.to_owned());
        }
    }
    Ok(match (asked.len(), client.audiences.is_empty()) {
        (0, true) => Audience::One(client.id.to_string()),
        (0, false) => Audience::Many(client.audiences.clone()),
        (1, _) => Audience::One(asked.remove(0)),
        _ => Audience::Many(asked),
    })
}

fn scope(request: &ClientCredentialsRequest<'_>, grantee: &Grantee<'_>) -> Result<Scope, Refusal> {
    let registered = &grantee.client.scope;
    let means_something = |token: &ScopeToken| {
        request.resources.is_empty()
            || request
                .resources
                .iter()
                .any(|resource| grantee.tenant.scope_belongs_to(token, resource.as_str()))
    };
    match request.scope {
        Some(asked) if asked.iter().all(|token| registered.contains(token) && means_something(token)) => {
            Ok(asked.clone())
        }
        Some(_) => Err(Refusal::ScopeNotAllowed),
        None => Ok(registered.iter().filter(|token| means_something(token)).cloned().collect()),
    }
}

impl From<Refusal> for ErrorResponse {
    fn from(refusal: Refusal) -> Self {
        let (error, description) = match refusal {
            Refusal::GrantNotRegistered => {
                (ErrorCode::UnauthorizedClient, "The client is not authorized to use this grant type")
            }
            Refusal::ScopeNotAllowed => {
                (ErrorCode::InvalidScope, "The requested scope is not allowed for this client")
            }
            Refusal::ResourceNotAllowed => {
                (ErrorCode::InvalidTarget, "The requested resource is not allowed for this client")
            }
            Refusal::FormatNotServed => (
                ErrorCode::UnsupportedGrantType,
                "This server does not serve the token format of this tenant",
            ),
        };
        Self::new(error, description)
    }
}

#[cfg(test)]
mod tests {
    use protocol::Lifetime;
    use registry::Client;
    use tenancy::{Issuer, Tenant};

    use super::*;
    use crate::test_fixtures::{acme, client};

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn ask(tenant: &Tenant, client: &Client, scope: &str, resources: &[&str]) -> Result<Grant, Refusal> {
        let scope = Some(Scope::parse(scope).unwrap()).filter(|scope| !scope.is_empty());
        let resources: Vec<_> =
            resources.iter().map(|text| ResourceIndicator::parse(text).unwrap()).collect();
        let request = ClientCredentialsRequest { scope: scope.as_ref(), resources: &resources };
        decide(&request, &Grantee { tenant, client }, NOW, &JwtId::new("id-1"))
    }

    fn check_scope(scope: &str, resources: &[&str], expected: Result<&str, Refusal>) {
        let granted = ask(&acme(), &client("svc"), scope, resources).map(|grant| grant.scope.to_string());
        assert_eq!(granted.as_deref(), expected.as_ref().copied(), "{scope} {resources:?}");
    }

    #[test]
    fn scopes_are_granted_whole_or_refused() {
        check_scope("", &[], Ok("read write report anywhere"));
        check_scope("write read", &[], Ok("write read"));
        check_scope("anywhere", &[], Ok("anywhere"));
        check_scope("read admin", &[], Err(Refusal::ScopeNotAllowed));
        check_scope("READ", &[], Err(Refusal::ScopeNotAllowed));
    }

    #[test]
    fn a_resource_narrows_what_is_granted_and_what_may_be_asked() {
        check_scope("", &["https://orders.example"], Ok("read write anywhere"));
        check_scope("", &["https://reports.example"], Ok("report anywhere"));
        check_scope(
            "",
            &["https://reports.example", "https://orders.example"],
            Ok("read write report anywhere"),
        );
        check_scope("read", &["https://orders.example"], Ok("read"));
        check_scope("read", &["https://reports.example"], Err(Refusal::ScopeNotAllowed));
        check_scope("", &["https://other.example"], Err(Refusal::ResourceNotAllowed));
    }

    #[test]
    fn the_audience_has_the_shape_of_its_origin() {
        let configured = Client { audiences: vec!["your-api".to_owned()], ..client("svc") };
        let aud = |client: &Client, resources: &[&str]| {
            let claims = ask(&acme(), client, "", resources).unwrap().claims;
            serde_json::to_string(&claims.aud).unwrap()
        };
        assert_eq!(aud(&client("svc"), &[]), r#""svc""#);
        assert_eq!(aud(&configured, &[]), r#"["your-api"]"#);
        assert_eq!(aud(&configured, &["https://orders.example"]), r#""https://orders.example""#);
        let twice = ["https://orders.example", "https://orders.example"];
        assert_eq!(aud(&configured, &twice), r#""https://orders.example""#);
        let both = ["https://reports.example", "https://orders.example"];
        assert_eq!(aud(&configured, &both), r#"["https://reports.example","https://orders.example"]"#);
    }

    #[test]
    fn claims_name_client_and_times() {
        let short = Client { access_token_lifetime: Some(Lifetime::from_seconds(2)), ..client("svc") };
        let claims = ask(&acme(), &short, "read", &[]).unwrap().claims;
        let json = serde_json::to_string(&claims).unwrap();
        let expected = r#"{"iss":"https://acme.example","sub":"svc","aud":"svc","exp":1000002,"iat":1000000,"nbf":1000000,"#;
        assert_eq!(json, format!(r#"{expected}"jti":"id-1","scope":"read","client_id":"svc"}}"#));
        let nothing = Client { scope: Scope::default(), ..client("svc") };
        assert_eq!(ask(&acme(), &nothing, "", &[]).unwrap().claims.scope, None);
    }

    #[test]
    fn an_alias_is_the_issuer_only_while_it_is_the_tenants() {
        let alias = Client { issuer: Some(Issuer::parse("thunder").unwrap()), ..client("svc") };
        assert_eq!(ask(&acme(), &alias, "", &[]).unwrap().claims.iss, "thunder");
        let without = Tenant { issuer_aliases: Vec::new(), ..acme() };
        assert_eq!(ask(&without, &alias, "", &[]).unwrap().claims.iss, "https://acme.example");
    }

    #[test]
    fn clients_of_other_grants_and_tenants_of_other_formats_are_refused() {
        let code_only = Client { grant_types: vec![GrantType::AuthorizationCode], ..client("svc") };
        assert_eq!(ask(&acme(), &code_only, "", &[]), Err(Refusal::GrantNotRegistered));
        let mut opaque = acme();
        opaque.access_token.format = TokenFormat::Opaque;
        assert_eq!(ask(&opaque, &client("svc"), "", &[]), Err(Refusal::FormatNotServed));
    }
}
