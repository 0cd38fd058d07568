//! Explains to an administrator what the token endpoint would answer to a request, and why. The
//! decision comes from the token endpoint's code. The checks in addition to the decision continue
//! after a refusal. Nothing is signed.

use protocol::{Audience, Confirmation, ErrorResponse, Form, GrantType, RefusalReason, ScopeToken};
use registry::{ApiKey, SenderKeys};
use tenancy::TokenFormat;
use uuid::Uuid;
use values::Timestamp;

use crate::{AccessTokenClaims, Grantee, TokenRequest, client_credentials};

/// Does not include the authentication of the client.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// Whether the parameters can be read. The token endpoint checks this before it authenticates
    /// the client.
    pub parameters: Result<(), ErrorResponse>,
    /// `None` if the parameters cannot be read, or if the decision needs a code. `jti` is the nil
    /// UUID.
    pub decision: Option<Result<AccessTokenClaims<'a>, ErrorResponse>>,
    /// `None` for a grant type that has no explanation.
    pub checks: Option<GrantChecks<'a>>,
}

/// In the order in which `decide` makes them.
#[derive(Debug)]
pub struct GrantChecks<'a> {
    pub grant_type: Result<(), ErrorResponse>,
    /// The format of the token.
    pub format: TokenFormat,
    /// Whether the request proves the key that the token must be bound to.
    pub sender: Result<Option<Confirmation>, ErrorResponse>,
    pub audience: Result<(Audience<'a>, AudienceSource), ErrorResponse>,
    /// Each requested scope token. If none was requested, each registered scope token.
    pub scopes: Result<Vec<(ScopeToken, ScopeOutcome)>, ErrorResponse>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudienceSource {
    /// The parameters `resource` and `audience`.
    Requested,
    /// The client's registered audiences.
    Registered,
    /// The client's own identifier, because the client has no audiences.
    ClientItself,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeOutcome {
    Granted,
    /// Not requested and not granted.
    LeftOut(RefusalReason),
    /// Requested, so the whole request is refused.
    Refused(RefusalReason),
    /// Depends on the audience, which was refused.
    Undecided,
}

impl<'a> Explanation<'a> {
    /// If the client authenticates with an API key, the client in `grantee` must be restricted to
    /// what the key may use.
    #[must_use]
    pub fn new(
        parameters: &[(&str, &str)],
        grantee: &Grantee<'a>,
        key: Option<&'a ApiKey>,
        sender: &SenderKeys,
        now: Timestamp,
    ) -> Self {
        let form = || Form::from_parameters(parameters.iter().copied());
        let request = TokenRequest::take(None, form());
        let (parameters, decision) = match request {
            Ok((_, request)) => {
                let decided = request.decide(grantee, sender, now, Uuid::nil());
                let by_key = |claims: AccessTokenClaims<'a>| claims.of_api_key(key);
                (Ok(()), decided.map(|decided| decided.map(by_key).map_err(|refusal| refusal.response)))
            }
            Err(refusal) => (Err(refusal), None),
        };
        Self { parameters, decision, checks: checks(&mut form(), grantee, sender) }
    }
}

fn checks<'a>(form: &mut Form<'_>, grantee: &Grantee<'a>, sender: &SenderKeys) -> Option<GrantChecks<'a>> {
    let grant_type: GrantType = form.take("grant_type").ok()??.parse().ok()?;
    // Deciding on the other grants needs the store.
    (grant_type == GrantType::ClientCredentials).then(|| client_credentials::explain(form, grantee, sender))
}

#[cfg(test)]
mod tests {
    use registry::Client;
    use tenancy::Tenant;

    use super::*;
    use crate::test_fixtures::{acme, client};

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const ORDERS: (&str, &str) = ("resource", "https://orders.example");

    /// The parameters, the decision and each check, on one line.
    fn explain(tenant: &Tenant, client: &Client, parameters: &[(&str, &str)]) -> String {
        let base = [("grant_type", "client_credentials"), ("client_id", "svc")];
        let parameters: Vec<_> = base.iter().chain(parameters).copied().collect();
        let Explanation { parameters, decision, checks } =
            Explanation::new(&parameters, &Grantee { tenant, client }, None, &SenderKeys::default(), NOW);
        let reason = |error: ErrorResponse| error.reason.as_str();
        let decision = match decision {
            None => "unread".to_owned(),
            Some(Ok(claims)) => claims.scope.unwrap_or_default(),
            Some(Err(error)) => reason(error).to_owned(),
        };
        let checks = checks.expect("the grant type is served");
        let audience = match checks.audience {
            Ok((audience, source)) => format!("{source:?} {}", audience.iter().collect::<Vec<_>>().join(" ")),
            Err(error) => reason(error).to_owned(),
        };
        let scopes = checks.scopes.map_or_else(
            |error| reason(error).to_owned(),
            |scopes| {
                let each = scopes.iter().map(|(token, outcome)| match outcome {
                    ScopeOutcome::Granted => format!("+{}", token.as_str()),
                    ScopeOutcome::LeftOut(reason) => format!("-{}:{}", token.as_str(), reason.as_str()),
                    ScopeOutcome::Refused(reason) => format!("!{}:{}", token.as_str(), reason.as_str()),
                    ScopeOutcome::Undecided => format!("?{}", token.as_str()),
                });
                each.collect::<Vec<_>>().join(" ")
            },
        );
        let named = |check: Result<(), ErrorResponse>| check.map_or_else(reason, |()| "ok");
        let before = [named(parameters), named(checks.grant_type)].join(" ");
        format!("{before} | {decision} | {audience} | {scopes}")
    }

    #[track_caller]
    fn check(parameters: &[(&str, &str)], expected: &str) {
        assert_eq!(explain(&acme(), &client("svc"), parameters), expected, "{parameters:?}");
    }

    #[test]
    fn granted_request_explains_audience_source_and_scopes() {
        check(&[], "ok ok | read write report anywhere | ClientItself svc | +read +write +report +anywhere");
        check(
            &[ORDERS],
            "ok ok | read write anywhere | Requested https://orders.example | \
             +read +write -report:scope_not_of_resource +anywhere",
        );
        check(&[("scope", "read")], "ok ok | read | ClientItself svc | +read");
        let registered = Client { audiences: vec!["api".to_owned()], ..client("svc") };
        let found = explain(&acme(), &registered, &[("scope", "read")]);
        assert_eq!(found, "ok ok | read | Registered api | +read");
        let found = explain(&acme(), &registered, &[("scope", "read"), ORDERS, ("audience", "api")]);
        assert_eq!(found, "ok ok | read | Requested https://orders.example api | +read");
    }

    #[test]
    fn checks_continue_after_a_refusal() {
        check(
            &[("scope", "read admin report"), ORDERS],
            "ok ok | scope_not_registered | Requested https://orders.example | \
             +read !admin:scope_not_registered !report:scope_not_of_resource",
        );
        check(
            &[("scope", "read admin"), ("resource", "urn:other")],
            "ok ok | resource_not_registered | resource_not_registered | ?read !admin:scope_not_registered",
        );
        check(
            &[("scope", "read admin"), ("audience", "other")],
            "ok ok | resource_not_registered | resource_not_registered | ?read !admin:scope_not_registered",
        );
        check(
            &[("scope", "\""), ("resource", "no uri")],
            "malformed_scope ok | unread | malformed_resource | malformed_scope",
        );
        let code_only = Client { grant_types: Vec::new(), ..client("svc") };
        let found = explain(&acme(), &code_only, &[("scope", "admin")]);
        let expected = "ok grant_not_registered | grant_not_registered | ClientItself svc | \
             !admin:scope_not_registered";
        assert_eq!(found, expected);
    }

    #[test]
    fn admin_audience_of_another_tenant_is_refused() {
        let admin =
            Client { scope: protocol::Scope::parse("latchkey:clients read").unwrap(), ..client("svc") };
        let (own, other) = (acme().id.admin_audience(), "urn:latchkey:tenant:globex");
        let found = explain(&acme(), &admin, &[("resource", &own)]);
        let expected = format!(
            "ok ok | latchkey:clients | Requested {own} | +latchkey:clients -read:scope_not_of_resource"
        );
        assert_eq!(found, expected);
        let found = explain(&acme(), &admin, &[("resource", other)]);
        assert_eq!(
            found,
            "ok ok | resource_not_registered | resource_not_registered | ?latchkey:clients ?read"
        );
        let found = explain(&acme(), &admin, &[("scope", "latchkey:clients")]);
        let expected = "ok ok | scope_needs_admin_audience | ClientItself svc | \
             !latchkey:clients:scope_needs_admin_audience";
        assert_eq!(found, expected);
    }

    #[test]
    fn unserved_grant_type_has_no_checks() {
        for grant_type in ["password", "authorization_code", ""] {
            let (tenant, client) = (acme(), client("svc"));
            let grantee = Grantee { tenant: &tenant, client: &client };
            let parameters = [("grant_type", grant_type), ("client_id", "svc")];
            let explained = Explanation::new(&parameters, &grantee, None, &SenderKeys::default(), NOW);
            assert!(explained.parameters.is_err() && explained.checks.is_none(), "{grant_type}");
            assert!(explained.decision.is_none(), "{grant_type}");
        }
    }
}
