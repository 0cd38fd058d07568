//! The refresh token grant: a client exchanges a refresh token for new tokens of the same person
//! (RFC 6749 §6, RFC 9700 §4.14, OpenID Connect Core §12).

use protocol::{ErrorCode, ErrorResponse, Form, RefusalReason, ResourceIndicator, Scope, ScopeToken};
use registry::{Client, SenderKeys};
use tenancy::Rotation;
use values::Secret;

use crate::named_scope::with_names;
use crate::{Granted, RefreshFamily};

#[derive(Debug)]
pub struct RefreshTokenRequest {
    pub(crate) refresh_token: Secret,
    /// A part of the granted scope, for this access token only.
    pub(crate) scope: Option<Scope>,
    /// A part of the granted resources and audiences, for this access token only (RFC 8707 §2.2).
    pub(crate) resources: Vec<ResourceIndicator>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefreshTokenError {
    /// The token is unknown or expired, was issued to another client or tenant, or the request does
    /// not prove its key; or the person may no longer sign in. The caller gets the same answer for
    /// all of these reasons.
    NotValid,
    /// The token was used before, and this second use has ended the grant. The caller gets the same
    /// answer as for [`Self::NotValid`].
    Reused,
    /// These scope tokens were not granted.
    Scope(Vec<ScopeToken>),
    Resource,
}

impl RefreshTokenRequest {
    /// # Errors `invalid_request` when the token is missing. The errors of `scope`, `resource` and
    /// `audience`.
    pub(crate) fn take(form: &mut Form<'_>) -> Result<Self, ErrorResponse> {
        let refresh_token = form.require_secret("refresh_token")?;
        Ok(Self { refresh_token, scope: form.take_scope()?, resources: form.take_resources()? })
    }

    /// Whether the request asks for a part of the grant.
    pub(crate) fn narrows(&self) -> bool {
        self.scope.is_some() || !self.resources.is_empty()
    }
}

/// Whether each use replaces the refresh token.
pub(crate) fn rotates(rotation: Rotation, client: &Client) -> bool {
    match rotation {
        Rotation::Public => client.is_public(),
        Rotation::Always => true,
        Rotation::Never => false,
    }
}

/// Returns the grant without the permissions that the client has lost since, and without those that
/// the request leaves out. "The requested scope MUST NOT include any scope not originally granted
/// by the resource owner" (RFC 6749 §6).
pub(crate) fn decide(
    family: &RefreshFamily,
    client: &Client,
    request: &RefreshTokenRequest,
    sender: &SenderKeys,
) -> Result<Granted, RefreshTokenError> {
    if !family.is_proven_by(sender) {
        return Err(RefreshTokenError::NotValid);
    }
    let granted = &family.granted;
    let requested = request.scope.iter().flat_map(Scope::iter);
    let foreign: Vec<_> = requested.filter(|token| !granted.has_scope(token.as_str())).cloned().collect();
    if !foreign.is_empty() {
        return Err(RefreshTokenError::Scope(foreign));
    }
    let apis = granted.apis(client);
    let mut resources: Vec<String> = Vec::with_capacity(request.resources.len());
    for resource in &request.resources {
        let granted = resource.find_in(apis.iter()).ok_or(RefreshTokenError::Resource)?;
        if !resources.iter().any(|known| known == granted) {
            resources.push(granted.to_owned());
        }
    }
    let is_registered = |token: &str| client.scope.iter().any(|own| own.as_str() == token);
    let is_requested = |token: &str| match &request.scope {
        Some(scope) => scope.iter().any(|own| own.as_str() == token),
        None => true,
    };
    let scope: Vec<_> =
        granted.scopes().filter(|token| is_registered(token) && is_requested(token)).collect();
    if resources.is_empty() {
        resources.clone_from(&granted.resources);
    }
    let scope = (!scope.is_empty()).then(|| scope.join(" "));
    Ok(Granted { scope, resources, nonce: None, ..granted.clone() }.with_claims_for(client))
}

impl From<&RefreshTokenError> for ErrorResponse {
    fn from(refusal: &RefreshTokenError) -> Self {
        use {ErrorCode as Code, RefreshTokenError as Error, RefusalReason as Reason};
        const NOT_VALID: &str = "The refresh token is not valid";
        let (error, reason, description) = match refusal {
            Error::NotValid => (Code::InvalidGrant, Reason::RefreshTokenNotValid, NOT_VALID),
            Error::Reused => (Code::InvalidGrant, Reason::RefreshTokenReused, NOT_VALID),
            Error::Scope(tokens) => {
                let description = with_names("The requested scope exceeds the granted scope", tokens);
                return Self::new(Code::InvalidScope, Reason::ScopeNotGranted, description);
            }
            Error::Resource => {
                (Code::InvalidTarget, Reason::ResourceNotGranted, "The requested resource was not granted")
            }
        };
        Self::new(error, reason, description)
    }
}

#[cfg(test)]
mod tests {
    use protocol::ClientAuthenticationMethod;

    use super::*;
    use crate::test_fixtures::{family_of, web_client};

    fn take(body: &str) -> Result<RefreshTokenRequest, ErrorResponse> {
        RefreshTokenRequest::take(&mut Form::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn only_refresh_token_parameter_is_required() {
        let request = take("refresh_token=r&scope=a+b&resource=urn:a&resource=urn:b").unwrap();
        assert_eq!((request.refresh_token.expose(), request.resources.len()), ("r", 2));
        assert!(request.narrows());
        assert!(!take("refresh_token=r&scope=").unwrap().narrows());
        for (body, expected) in [
            ("scope=a", "Missing refresh_token parameter"),
            ("refresh_token=", "Missing refresh_token parameter"),
            ("refresh_token=a&refresh_token=b", "Parameter refresh_token was sent more than once"),
            ("refresh_token=a&scope=%22", "The requested scope is malformed"),
            ("refresh_token=a&resource=b", "The resource must be an absolute URI without a fragment"),
        ] {
            assert_eq!(take(body).unwrap_err().error_description, expected, "{body}");
        }
    }

    // [oauth RFC 6749 §6 b]: `scope` has nothing that was not granted; without it, all that was granted. A
    //   refused request leaves the token as it is
    #[test]
    fn refresh_cannot_exceed_the_grant() {
        let client = web_client("web");
        let granted = Granted {
            scope: Some("openid email read".to_owned()),
            resources: vec!["urn:a".to_owned(), "urn:b".to_owned()],
            ..Granted::default()
        };
        let family = family_of(&client, granted);
        let check = |client: &Client, parameters: &str| {
            let request = take(&format!("refresh_token=r{parameters}")).unwrap();
            let decided = decide(&family, client, &request, &SenderKeys::default())?;
            assert_eq!(decided.auth_time, family.granted.auth_time);
            Ok(format!("{} {}", decided.scope.unwrap_or_default(), decided.resources.join(",")))
        };
        let scope = |tokens: &str| {
            let tokens = Scope::parse(tokens).unwrap();
            Err(RefreshTokenError::Scope(tokens.iter().cloned().collect()))
        };
        for (parameters, expected) in [
            ("", Ok("openid email read urn:a,urn:b")),
            ("&scope=read+openid", Ok("openid read urn:a,urn:b")),
            ("&scope=read&resource=urn:b", Ok("read urn:b")),
            ("&scope=read+profile", scope("profile")),
            ("&scope=profile+read+phone", scope("profile phone")),
            ("&scope=latchkey:clients", scope("latchkey:clients")),
            ("&scope=read&audience=urn:b", Ok("read urn:b")),
            ("&resource=urn:c", Err(RefreshTokenError::Resource)),
            ("&resource=urn:a&audience=urn:c", Err(RefreshTokenError::Resource)),
        ] {
            assert_eq!(check(&client, parameters), expected.map(str::to_owned), "{parameters}");
        }
        // The person has allowed the scopes at the client's audiences.
        let of_audiences = Client { audiences: vec!["urn:c".to_owned()], ..client.clone() };
        let without = Granted { resources: Vec::new(), ..family.granted.clone() };
        let family_without = family_of(&of_audiences, without);
        for (parameters, expected) in [
            ("", Ok("")),
            ("&resource=urn:c", Ok("urn:c")),
            ("&audience=urn:c", Ok("urn:c")),
            ("&resource=urn:a", Err(RefreshTokenError::Resource)),
            ("&resource=urn:c&resource=https://acme.example", Err(RefreshTokenError::Resource)),
        ] {
            let request = take(&format!("refresh_token=r{parameters}")).unwrap();
            let decided = decide(&family_without, &of_audiences, &request, &SenderKeys::default());
            let resources = decided.map(|granted| granted.resources.join(","));
            assert_eq!(resources, expected.map(str::to_owned), "{parameters}");
        }
        // The token has the spelling of the grant.
        let resources = vec!["https://a.example/".to_owned()];
        let spelled = family_of(&client, Granted { resources, ..family.granted.clone() });
        for (parameters, expected) in [
            ("&resource=https://A.example", Ok("https://a.example/")),
            ("&audience=https://a.example", Err(RefreshTokenError::Resource)),
        ] {
            let request = take(&format!("refresh_token=r{parameters}")).unwrap();
            let decided = decide(&spelled, &client, &request, &SenderKeys::default());
            let resources = decided.map(|granted| granted.resources.join(","));
            assert_eq!(resources, expected.map(str::to_owned), "{parameters}");
        }
        // The client has lost a scope since the grant.
        let less = Client { scope: Scope::parse("openid").unwrap(), ..client };
        assert_eq!(check(&less, ""), Ok("openid urn:a,urn:b".to_owned()));
    }

    #[test]
    fn single_claim_is_lost_with_its_registered_scope() {
        let registered = |scope: &str| Client { scope: Scope::parse(scope).unwrap(), ..web_client("web") };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let granted = Granted {
            scope: Some("openid".to_owned()),
            userinfo_claims: names(&["email", "name"]),
            id_token_claims: names(&["email_verified", "name"]),
            ..Granted::default()
        };
        let family = family_of(&registered("openid email profile"), granted);
        let request = take("refresh_token=r").unwrap();
        for (scope, userinfo, id_token) in [
            ("openid email profile", &["email", "name"][..], &["email_verified", "name"][..]),
            ("openid profile", &["name"], &["name"]),
            ("openid", &[], &[]),
        ] {
            let decided = decide(&family, &registered(scope), &request, &SenderKeys::default()).unwrap();
            assert_eq!(decided.userinfo_claims, names(userinfo), "{scope}");
            assert_eq!(decided.id_token_claims, names(id_token), "{scope}");
        }
    }

    // [dpop RFC 9449 §5 b]
    #[test]
    fn bound_family_needs_proof_of_its_key() {
        let client = web_client("web");
        let key = protocol::Thumbprint::new([1; 32]);
        let bound = RefreshFamily { dpop_key: Some([1; 32]), ..family_of(&client, Granted::default()) };
        let request = take("refresh_token=r").unwrap();
        for (proven, expected) in
            [(None, Err(RefreshTokenError::NotValid)), (Some(key), Ok(bound.granted.clone()))]
        {
            let sender = SenderKeys { dpop: proven, certificate: Some(key) };
            assert_eq!(decide(&bound, &client, &request, &sender), expected);
        }
    }

    #[test]
    fn rotation_policy_depends_on_client_type() {
        let public = Client { authentication_method: ClientAuthenticationMethod::None, ..web_client("spa") };
        for (rotation, of_public, of_others) in
            [(Rotation::Public, true, false), (Rotation::Always, true, true), (Rotation::Never, false, false)]
        {
            assert_eq!(rotates(rotation, &public), of_public, "{rotation:?}");
            assert_eq!(rotates(rotation, &web_client("web")), of_others, "{rotation:?}");
        }
    }
}
