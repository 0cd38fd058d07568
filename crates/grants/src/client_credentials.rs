//! The client credentials grant: a client requests a token for itself (RFC 6749 §4.4, RFC 8707
//! §2.1).
//!
//! A token for administration cannot be used elsewhere. Only the tenant's admin audience has
//! reserved scopes, and a token for that audience has no other scope and no second audience. So an
//! API that receives a token cannot administer with it.

mod explained;

use std::iter;

use protocol::{
    Audience, ErrorCode, ErrorResponse, Form, GrantType, RefusalReason, ResourceIndicator, Scope, ScopeToken,
};
use registry::{ClientId, SenderKeys};
use uuid::Uuid;
use values::Timestamp;

use crate::grant_check::{self, GrantNotAllowed};
use crate::named_scope::with_names;
use crate::{AccessTokenClaims, Grantee};

pub(crate) use explained::explain;

#[derive(Debug)]
pub struct ClientCredentialsRequest {
    /// `None` requests all registered scopes.
    pub(crate) scope: Option<Scope>,
    /// In the order of the request. If empty, the token is for the client's audiences.
    pub(crate) resources: Vec<ResourceIndicator>,
}

impl ClientCredentialsRequest {
    /// # Errors `invalid_scope`, `invalid_target`, `invalid_request`.
    pub(crate) fn take(form: &mut Form<'_>) -> Result<Self, ErrorResponse> {
        Ok(Self { scope: form.take_scope()?, resources: form.take_resources()? })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientCredentialsError {
    /// Refused by a check that all grants share.
    NotAllowed(GrantNotAllowed),
    /// The client is not registered for a scope token, or the token needs the admin audience.
    /// Contains all tokens that are refused for the same reason as the first one.
    ScopeNotAllowed(Vec<ScopeToken>, RefusalReason),
    ResourceNotAllowed,
    /// The request names the admin audience together with another one.
    AdminAudienceNotAlone,
}

/// Returns the claims of the token. The client gets no refresh token (RFC 6749 §4.4.3). A scope is
/// granted whole or refused: if the server silently dropped a scope token, the client would fail
/// later, at an API.
pub(crate) fn decide<'a>(
    request: &ClientCredentialsRequest,
    grantee: &Grantee<'a>,
    sender: &SenderKeys,
    now: Timestamp,
    jti: Uuid,
) -> Result<AccessTokenClaims<'a>, ClientCredentialsError> {
    let cnf = grant_check::check(GrantType::ClientCredentials, grantee, sender)
        .map_err(ClientCredentialsError::NotAllowed)?;
    let is_admin = is_for_administration(&request.resources, grantee)?;
    let aud = audience(&request.resources, grantee, is_admin)?;
    let scope = scope(request, grantee, is_admin)?;
    let until = now + grantee.lifetime();
    let id = grantee.client.id.as_str();
    let claims = AccessTokenClaims::of_client(grantee.issuer(), id, aud, now, until, jti.to_string());
    Ok(AccessTokenClaims { scope, cnf, ..claims })
}

/// Whether the audience is the admin audience of any tenant.
pub(crate) fn is_admin_audience(audience: &str) -> bool {
    audience.starts_with(ClientId::RESERVED_PREFIX)
}

/// Whether the token is for administration. Refuses the admin audience of another tenant, even if
/// the client's row lists it. Refuses the tenant's own admin audience unless the client is
/// registered for a reserved scope.
fn is_for_administration(
    resources: &[ResourceIndicator],
    grantee: &Grantee<'_>,
) -> Result<bool, ClientCredentialsError> {
    let Grantee { client, tenant } = grantee;
    let (mut ours, mut others) = (false, false);
    let mut sort = |audience: &str| {
        if !is_admin_audience(audience) {
            others = true;
        } else if tenant.id.is_admin_audience(audience) && client.scope.iter().any(ScopeToken::is_reserved) {
            ours = true;
        } else {
            return Err(ClientCredentialsError::ResourceNotAllowed);
        }
        Ok(())
    };
    if resources.is_empty() {
        client.audiences.iter().try_for_each(|audience| sort(audience))?;
    } else {
        resources.iter().try_for_each(|resource| sort(resource.as_str()))?;
    }
    if ours && others { Err(ClientCredentialsError::AdminAudienceNotAlone) } else { Ok(ours) }
}

/// The claim `aud`, in the registered spelling. One requested resource becomes a string, several
/// become an array (RFC 8707 §2). Registered audiences become an array. If there are neither, the
/// audience is the client itself, although RFC 9068 §3 recommends a default resource.
fn audience<'a>(
    resources: &[ResourceIndicator],
    grantee: &Grantee<'a>,
    is_admin: bool,
) -> Result<Audience<'a>, ClientCredentialsError> {
    let client = grantee.client;
    let mut requested: Vec<String> = Vec::with_capacity(resources.len());
    for resource in resources {
        let registered = match is_admin {
            true => resource.as_str(),
            false => client.resource(resource).ok_or(ClientCredentialsError::ResourceNotAllowed)?,
        };
        if !requested.iter().any(|known| known == registered) {
            requested.push(registered.to_owned());
        }
    }
    Ok(match (requested.len(), client.audiences.is_empty()) {
        (0, true) => Audience::One(client.id.as_str().into()),
        (0, false) => Audience::Many(client.audiences.as_slice().into()),
        (1, _) => Audience::One(requested.remove(0).into()),
        _ => Audience::Many(requested.into()),
    })
}

/// `None` if the scope is empty, because the grammar has no empty scope.
fn scope(
    request: &ClientCredentialsRequest,
    grantee: &Grantee<'_>,
    is_admin: bool,
) -> Result<Option<String>, ClientCredentialsError> {
    let fit = ScopeFit { resources: &request.resources, grantee, is_admin };
    let Some(requested) = &request.scope else {
        let registered = grantee.client.scope.iter();
        return Ok(Scope::text(registered.filter(|token| fit.of_registered(token).is_none())));
    };
    let mut refused = requested.iter().filter_map(|token| Some((token, fit.refusal(token)?)));
    let Some((first, reason)) = refused.next() else { return Ok(Scope::text(requested.iter())) };
    let others = refused.filter(|(_, other)| *other == reason).map(|(token, _)| token);
    let tokens = iter::once(first).chain(others).cloned().collect();
    Err(ClientCredentialsError::ScopeNotAllowed(tokens, reason))
}

#[derive(Clone, Copy)]
pub(crate) struct ScopeFit<'a> {
    pub(crate) resources: &'a [ResourceIndicator],
    pub(crate) grantee: &'a Grantee<'a>,
    pub(crate) is_admin: bool,
}

impl ScopeFit<'_> {
    /// The reason for refusing the scope token. `None` if it is granted.
    pub(crate) fn refusal(self, token: &ScopeToken) -> Option<RefusalReason> {
        if self.grantee.client.scope.contains(token) {
            self.of_registered(token)
        } else {
            Some(RefusalReason::ScopeNotRegistered)
        }
    }

    /// The client is registered for the scope token.
    fn of_registered(self, token: &ScopeToken) -> Option<RefusalReason> {
        if token.is_reserved() && !self.is_admin {
            Some(RefusalReason::ScopeNeedsAdminAudience)
        } else if self.is_of_audience(token) {
            None
        } else {
            Some(RefusalReason::ScopeNotOfResource)
        }
    }

    fn is_of_audience(self, token: &ScopeToken) -> bool {
        if self.is_admin {
            return token.is_reserved();
        }
        let Grantee { client, tenant } = self.grantee;
        let registered = |resource| client.resource(resource).unwrap_or(resource.as_str());
        let mut resources = self.resources.iter();
        self.resources.is_empty()
            || resources.any(|resource| tenant.scope_belongs_to(token, registered(resource)))
    }
}

impl ClientCredentialsError {
    pub(crate) fn scope(&self) -> Option<&ScopeToken> {
        match self {
            Self::ScopeNotAllowed(tokens, _) => tokens.first(),
            Self::NotAllowed(_) | Self::ResourceNotAllowed | Self::AdminAudienceNotAlone => None,
        }
    }
}

impl From<&ClientCredentialsError> for ErrorResponse {
    fn from(refusal: &ClientCredentialsError) -> Self {
        use {ErrorCode as Code, RefusalReason as Reason};
        let (error, reason, description) = match refusal {
            ClientCredentialsError::NotAllowed(refusal) => return Self::from(*refusal),
            ClientCredentialsError::ScopeNotAllowed(tokens, reason) => {
                let sentence = match reason {
                    Reason::ScopeNeedsAdminAudience => {
                        "The requested scope needs the resource that it administers"
                    }
                    _ => "The requested scope is not allowed for this client",
                };
                return Self::new(Code::InvalidScope, *reason, with_names(sentence, tokens));
            }
            ClientCredentialsError::AdminAudienceNotAlone => (
                Code::InvalidTarget,
                Reason::AdminAudienceNotAlone,
                "The requested resource cannot be combined with another resource of this client",
            ),
            ClientCredentialsError::ResourceNotAllowed => (
                Code::InvalidTarget,
                Reason::ResourceNotRegistered,
                "The requested resource is not allowed for this client",
            ),
        };
        Self::new(error, reason, description)
    }
}

#[cfg(test)]
mod tests {
    use registry::Client;
    use tenancy::{AccessTokenPolicy, Issuer, Tenant};
    use values::Lifetime;

    use super::*;
    use crate::test_fixtures::{acme, client};

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn ask<'a>(
        tenant: &'a Tenant,
        client: &'a Client,
        scope: &str,
        resources: &[&str],
    ) -> Result<AccessTokenClaims<'a>, ClientCredentialsError> {
        let scope = Some(Scope::parse(scope).unwrap()).filter(|scope| !scope.is_empty());
        let resources: Vec<_> = resources.iter().map(|text| ResourceIndicator::audience(text)).collect();
        let request = ClientCredentialsRequest { scope, resources };
        decide(&request, &Grantee { tenant, client }, &SenderKeys::default(), NOW, Uuid::nil())
    }

    fn token(text: &str) -> ScopeToken {
        ScopeToken::parse(text).unwrap()
    }

    fn not_allowed(scope: &str, reason: RefusalReason) -> ClientCredentialsError {
        ClientCredentialsError::ScopeNotAllowed(vec![token(scope)], reason)
    }

    fn check_scope(scope: &str, resources: &[&str], expected: Result<&str, ClientCredentialsError>) {
        let (acme, client) = (acme(), client("svc"));
        let granted = ask(&acme, &client, scope, resources).map(|claims| claims.scope.unwrap_or_default());
        assert_eq!(granted.as_deref(), expected.as_ref().copied(), "{scope} {resources:?}");
    }

    // [oauth RFC 6749 §3.3 d]: A request without a scope gets a documented default, here all that the client
    //   is registered for, or is refused
    // [parties #2]: a client of a tenant | get tokens with its scopes for its audiences; introspect the
    //   tokens that its `introspection` allows | get another scope or audience, administer, act as another
    //   client or tenant
    // [rfc9700 §2.3]: Tokens have the least privilege: scopes and audience | Only registered scopes;
    //   `resource` restricts both; every token has an audience
    // [oauth RFC 6749 §3.3], [oauth RFC 6749 §5.2 i], [V10 10.4.11]
    #[test]
    fn unregistered_scope_refuses_the_whole_request() {
        check_scope("", &[], Ok("read write report anywhere"));
        check_scope("write read", &[], Ok("write read"));
        check_scope("anywhere", &[], Ok("anywhere"));
        check_scope("read admin", &[], Err(not_allowed("admin", RefusalReason::ScopeNotRegistered)));
        check_scope("READ", &[], Err(not_allowed("READ", RefusalReason::ScopeNotRegistered)));
    }

    // [oauth RFC 6749 §5.2 h]
    #[test]
    fn refusal_names_scopes_refused_for_its_reason() {
        let (acme, client) = (acme(), client("svc"));
        for (scope, resources, expected) in [
            ("read admin write root", &[] as &[&str], "admin root"),
            ("report admin read", &["https://orders.example"], "report"),
            ("admin report read root", &["https://orders.example"], "admin root"),
        ] {
            let refused = ask(&acme, &client, scope, resources).unwrap_err();
            let sentence = "The requested scope is not allowed for this client";
            let description = ErrorResponse::from(&refused).error_description;
            assert_eq!(description, format!("{sentence}: {expected}"));
        }
    }

    // [resources RFC 8707 §2.2 b]: Scopes are those of the requested resources
    // [resources RFC 8707 §2 c], [parties #2], [rfc9700 §2.3]
    #[test]
    fn resource_restricts_granted_and_requested_scopes() {
        check_scope("", &["https://orders.example"], Ok("read write anywhere"));
        check_scope("", &["https://reports.example"], Ok("report anywhere"));
        check_scope(
            "",
            &["https://reports.example", "https://orders.example"],
            Ok("read write report anywhere"),
        );
        check_scope("read", &["https://orders.example"], Ok("read"));
        let not_there = not_allowed("read", RefusalReason::ScopeNotOfResource);
        check_scope("read", &["https://reports.example"], Err(not_there));
        check_scope("", &["https://other.example"], Err(ClientCredentialsError::ResourceNotAllowed));
    }

    // [jwt RFC 8725 §3.9]: Tokens name their audience, and it is checked
    // [resources RFC 8707 §2 d]: The token is restricted to the requested resources
    // [access-tokens RFC 9068 §3 b]: Without one, `aud` is a default resource: the client's audiences, as an
    //   array
    // [access-tokens RFC 9068 §3 c]: A client without audiences gets its own id as `aud`, a string, because
    //   clients written for the examples expect it. No API can accept such a token as its own, since no
    //   client id may equal an audience, resource or issuer of its tenant | departs
    // [V9 9.2.4]: 2 | One key for several audiences: every token names its own, and no client can invent one
    //   | `aud` is always present; audiences are registered; no client id equals one
    // [rfc9700 §2.3]
    #[test]
    fn audience_is_string_or_array_by_its_source() {
        let configured = Client { audiences: vec!["your-api".to_owned()], ..client("svc") };
        let aud = |client: &Client, resources: &[&str]| {
            serde_json::to_string(&ask(&acme(), client, "", resources).unwrap().aud).unwrap()
        };
        assert_eq!(aud(&client("svc"), &[]), r#""svc""#);
        assert_eq!(aud(&configured, &[]), r#"["your-api"]"#);
        assert_eq!(aud(&configured, &["https://orders.example"]), r#""https://orders.example""#);
        assert_eq!(aud(&configured, &["your-api"]), r#""your-api""#);
        let both = ["https://reports.example", "your-api"];
        assert_eq!(aud(&configured, &both), r#"["https://reports.example","your-api"]"#);
    }

    /// The client, its request and the resource server each use another spelling.
    #[test]
    fn token_has_the_registered_resource_spelling() {
        for registered in ["https://orders.example", "HTTPS://Orders.example:443/"] {
            let svc = Client { resources: vec![registered.to_owned()], ..client("svc") };
            let resources = vec![ResourceIndicator::parse("https://orders.example/").unwrap()];
            let request = ClientCredentialsRequest { scope: Some(Scope::parse("read").unwrap()), resources };
            let grantee = Grantee { tenant: &acme(), client: &svc };
            let aud = decide(&request, &grantee, &SenderKeys::default(), NOW, Uuid::nil()).unwrap().aud;
            assert_eq!(aud, Audience::One(registered.into()));
        }
    }

    // [jwt RFC 7519 §4.1.6]: `iat` says when the token was issued
    // [access-tokens RFC 9068 §2.2]: `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` are present
    // [access-tokens RFC 9068 §2.2 b]: Where no user takes part, `sub` is the client
    #[test]
    fn claims_have_client_and_times() {
        let access_token = AccessTokenPolicy { lifetime: Lifetime::from_seconds(2), ..acme().access_token };
        let short = Tenant { access_token, ..acme() };
        let svc = client("svc");
        let json = serde_json::to_string(&ask(&short, &svc, "read", &[]).unwrap()).unwrap();
        let expected = r#"{"iss":"https://acme.example","sub":"svc","aud":"svc","exp":1000002,"iat":1000000,"nbf":1000000,"#;
        assert_eq!(
            json,
            format!(
                r#"{expected}"jti":"00000000-0000-0000-0000-000000000000","scope":"read","client_id":"svc"}}"#
            )
        );
        let nothing = Client { scope: Scope::default(), ..client("svc") };
        assert_eq!(ask(&acme(), &nothing, "", &[]).unwrap().scope, None);
    }

    #[test]
    fn issuer_alias_applies_only_while_tenant_has_it() {
        let alias = Client { issuer: Some(Issuer::parse("thunder").unwrap()), ..client("svc") };
        assert_eq!(ask(&acme(), &alias, "", &[]).unwrap().iss, "thunder");
        let without = Tenant { issuer_aliases: Vec::new(), ..acme() };
        assert_eq!(ask(&without, &alias, "", &[]).unwrap().iss, "https://acme.example");
    }

    const OURS: &str = "urn:latchkey:tenant:acme";

    /// Registered for administration and for an API.
    fn admin() -> Client {
        Client {
            scope: Scope::parse("read latchkey:clients latchkey:audit anywhere").unwrap(),
            ..client("ops")
        }
    }

    fn check_admin(
        client: &Client,
        scope: &str,
        resources: &[&str],
        expected: Result<(&str, &str), ClientCredentialsError>,
    ) {
        let acme = acme();
        let granted = ask(&acme, client, scope, resources)
            .map(|claims| (serde_json::to_string(&claims.aud).unwrap(), claims.scope.unwrap_or_default()));
        let granted = granted.as_ref().map(|(aud, scope)| (aud.as_str(), scope.as_str()));
        assert_eq!(granted, expected.as_ref().copied(), "{scope} {resources:?} {client:?}");
    }

    #[test]
    fn admin_audience_allows_only_reserved_scopes() {
        let aud = r#""urn:latchkey:tenant:acme""#;
        check_admin(&admin(), "", &[OURS], Ok((aud, "latchkey:clients latchkey:audit")));
        check_admin(&admin(), "latchkey:audit", &[OURS], Ok((aud, "latchkey:audit")));
        for (scope, refused, reason) in [
            ("read", "read", RefusalReason::ScopeNotOfResource),
            ("anywhere", "anywhere", RefusalReason::ScopeNotOfResource),
            ("latchkey:audit read", "read", RefusalReason::ScopeNotOfResource),
            ("latchkey:keys", "latchkey:keys", RefusalReason::ScopeNotRegistered),
            ("latchkey:tenants", "latchkey:tenants", RefusalReason::ScopeNotRegistered),
        ] {
            check_admin(&admin(), scope, &[OURS], Err(not_allowed(refused, reason)));
        }
    }

    #[test]
    fn reserved_scopes_need_the_admin_audience() {
        let orders = "https://orders.example";
        check_admin(&admin(), "", &[], Ok((r#""ops""#, "read anywhere")));
        check_admin(&admin(), "", &[orders], Ok((r#""https://orders.example""#, "read anywhere")));
        for resources in [&[] as &[&str], &[orders]] {
            for scope in ["latchkey:clients", "read latchkey:clients"] {
                let needs = not_allowed("latchkey:clients", RefusalReason::ScopeNeedsAdminAudience);
                check_admin(&admin(), scope, resources, Err(needs));
            }
            let not_registered = not_allowed("latchkey:keys", RefusalReason::ScopeNotRegistered);
            check_admin(&admin(), "latchkey:keys", resources, Err(not_registered));
        }
        let not_registered = not_allowed("latchkey:clients", RefusalReason::ScopeNotRegistered);
        check_admin(&client("svc"), "latchkey:clients", &[], Err(not_registered));
    }

    #[test]
    fn admin_audience_cannot_be_combined_with_others() {
        let orders = "https://orders.example";
        for resources in [[OURS, orders], [orders, OURS]] {
            for scope in ["", "read", "latchkey:clients"] {
                check_admin(&admin(), scope, &resources, Err(ClientCredentialsError::AdminAudienceNotAlone));
            }
        }
    }

    // [rfc9700 §4.10.2 b]: A client cannot choose its audience | A client gets only audiences and resources
    //   that are registered for it
    #[test]
    fn admin_audience_needs_registered_client_of_same_tenant() {
        check_admin(&client("svc"), "", &[OURS], Err(ClientCredentialsError::ResourceNotAllowed));
        let lists = |audience: &str, client: Client| Client {
            audiences: vec![audience.to_owned()],
            resources: vec![audience.to_owned()],
            ..client
        };
        check_admin(
            &lists(OURS, client("svc")),
            "",
            &[OURS],
            Err(ClientCredentialsError::ResourceNotAllowed),
        );
        check_admin(&lists(OURS, client("svc")), "", &[], Err(ClientCredentialsError::ResourceNotAllowed));
        for other in ["urn:latchkey:tenant:globex", "urn:latchkey:admin", "urn:latchkey:tenant:platform"] {
            for resources in [&[other] as &[&str], &[OURS, other], &[]] {
                check_admin(
                    &lists(other, admin()),
                    "",
                    resources,
                    Err(ClientCredentialsError::ResourceNotAllowed),
                );
            }
        }
    }

    #[test]
    fn sole_admin_audience_need_not_be_requested() {
        let aud = r#"["urn:latchkey:tenant:acme"]"#;
        let only = Client { audiences: vec![OURS.to_owned()], ..admin() };
        check_admin(&only, "", &[], Ok((aud, "latchkey:clients latchkey:audit")));
        check_admin(&only, "latchkey:clients", &[], Ok((aud, "latchkey:clients")));
        check_admin(&only, "read", &[], Err(not_allowed("read", RefusalReason::ScopeNotOfResource)));
        check_admin(&only, "read", &["https://orders.example"], Ok((r#""https://orders.example""#, "read")));
        let mixed = Client { audiences: vec!["your-api".to_owned(), OURS.to_owned()], ..admin() };
        check_admin(&mixed, "", &[], Err(ClientCredentialsError::AdminAudienceNotAlone));
        check_admin(&mixed, "read", &["https://orders.example"], Ok((r#""https://orders.example""#, "read")));
    }

    #[test]
    fn platform_audience_is_only_for_the_platform_tenant() {
        let platform = Tenant { id: tenancy::TenantId::parse("platform").unwrap(), ..acme() };
        let admin = admin();
        let granted = ask(&platform, &admin, "latchkey:audit", &["urn:latchkey:admin"]).unwrap();
        assert_eq!(granted.aud, Audience::One("urn:latchkey:admin".into()));
        for other in [OURS, "urn:latchkey:tenant:platform"] {
            assert_eq!(ask(&platform, &admin, "", &[other]), Err(ClientCredentialsError::ResourceNotAllowed));
        }
    }

    #[test]
    fn admin_refusals_have_matching_error_codes() {
        for (refusal, code) in [
            (not_allowed("latchkey:keys", RefusalReason::ScopeNeedsAdminAudience), ErrorCode::InvalidScope),
            (ClientCredentialsError::AdminAudienceNotAlone, ErrorCode::InvalidTarget),
            (ClientCredentialsError::ResourceNotAllowed, ErrorCode::InvalidTarget),
        ] {
            assert_eq!(ErrorResponse::from(&refusal).error, code, "{refusal:?}");
        }
    }

    // [oauth RFC 6749 §5.2 d]: `unauthorized_client` where the client may not use the grant
    // [V10 10.4.4]: 1 | A client uses only grants that it needs; no implicit, no password grant |
    //   `grant_types` of the client; the other two do not exist in the code
    #[test]
    fn unregistered_grants_are_refused() {
        let code_only = Client { grant_types: vec![GrantType::AuthorizationCode], ..client("svc") };
        assert_eq!(
            ask(&acme(), &code_only, "", &[]),
            Err(ClientCredentialsError::NotAllowed(GrantNotAllowed::GrantNotRegistered))
        );
    }
}
