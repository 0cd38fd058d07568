//! What a token request says, before anybody knows who sent it (RFC 6749 §4.4.2, RFC 8707 §2.1).

use crate::{ClientAuthentication, ErrorCode, ErrorResponse, Form, GrantType, ResourceIndicator, Scope};

/// No request names more scopes, however often it repeats one.
const MOST_SCOPES: usize = 128;
/// No request names more resources.
const MOST_RESOURCES: usize = 16;

/// A well-formed token request.
#[derive(Debug)]
pub struct TokenRequest {
    /// What the client wants to trade for a token.
    pub grant_type: GrantType,
    /// The scope asked for; `None` where the parameter is absent.
    pub scope: Option<Scope>,
    /// Where the token is to be used, in the order asked for.
    pub resources: Vec<ResourceIndicator>,
}

impl TokenRequest {
    /// Reads the `Authorization` header and the body. `grant_type` comes first, so that a request that this server could never
    /// serve costs no password hash.
    ///
    /// # Errors
    /// `invalid_request`, `unsupported_grant_type`, `invalid_client` (no client named), `invalid_scope`, `invalid_target`; more than
    /// 128 scopes are `invalid_scope`, more than 16 resources `invalid_request`.
    pub fn parse(
        authorization: Option<&[u8]>,
        body: &[u8],
    ) -> Result<(ClientAuthentication, Self), ErrorResponse> {
        let mut form = Form::parse(body)?;
        let grant_type = form
            .take("grant_type")?
            .ok_or_else(|| ErrorResponse::invalid_request("Missing grant_type parameter"))?
            .parse()
            .ok()
            .filter(|grant_type| GrantType::SERVED.contains(grant_type))
            .ok_or_else(|| ErrorResponse::new(ErrorCode::UnsupportedGrantType, "Unsupported grant type"))?;
        let credentials = ClientAuthentication::take(authorization, &mut form)?;
        let scope = form.take("scope")?.map(|text| read_scope(&text)).transpose()?;
        let resources = form.take_all("resource");
        if resources.len() > MOST_RESOURCES {
            return Err(ErrorResponse::invalid_request("More than 16 resources were requested"));
        }
        let resources = resources
            .iter()
            .map(|text| ResourceIndicator::parse(text))
            .collect::<Result<_, _>>()
            .map_err(|_| invalid_target())?;
        form.finish()?;
        Ok((credentials, Self { grant_type, scope: scope.filter(|scope| !scope.is_empty()), resources }))
    }
}

fn read_scope(text: &str) -> Result<Scope, ErrorResponse> {
    let invalid = |description| ErrorResponse::new(ErrorCode::InvalidScope, description);
    if Scope::sent(text).nth(MOST_SCOPES).is_some() {
        return Err(invalid("More than 128 scopes were requested"));
    }
    Scope::parse(text).map_err(|_| invalid("The requested scope is malformed"))
}

fn invalid_target() -> ErrorResponse {
    ErrorResponse::new(ErrorCode::InvalidTarget, "The resource must be an absolute URI without a fragment")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> String {
        match TokenRequest::parse(None, body.as_bytes()) {
            Ok((_, request)) => {
                let resources: Vec<_> = request.resources.iter().map(ResourceIndicator::as_str).collect();
                format!("{} [{}] {:?}", request.grant_type, request.scope.unwrap_or_default(), resources)
            }
            Err(error) => format!("{}: {}", error.error.as_str(), error.error_description),
        }
    }

    #[test]
    fn a_request_is_read_whole() {
        let body = "grant_type=client_credentials&client_id=a&client_secret=b&scope=x+y&resource=urn:a&resource=urn:b&z=1";
        assert_eq!(parse(body), r#"client_credentials [x y] ["urn:a", "urn:b"]"#);
        assert_eq!(parse("grant_type=client_credentials&client_id=a&scope=+"), "client_credentials [] []");
    }

    #[test]
    fn the_grant_type_is_judged_before_the_client() {
        assert_eq!(parse("client_id=a"), "invalid_request: Missing grant_type parameter");
        assert_eq!(parse("grant_type="), "invalid_request: Missing grant_type parameter");
        assert_eq!(parse("grant_type=password"), "unsupported_grant_type: Unsupported grant type");
        assert_eq!(parse("grant_type=authorization_code"), "unsupported_grant_type: Unsupported grant type");
        assert_eq!(parse("grant_type=client_credentials"), "invalid_client: Missing client_id parameter");
    }

    #[test]
    fn every_repetition_is_refused_but_that_of_resource() {
        let base = "grant_type=client_credentials&client_id=a";
        for twice in ["grant_type=client_credentials", "client_id=a", "scope=a&scope=a", "x=1&x=2"] {
            assert!(parse(&format!("{base}&{twice}")).starts_with("invalid_request: "), "{twice}");
        }
    }

    #[test]
    fn malformed_scopes_and_resources_have_their_own_codes() {
        let base = "grant_type=client_credentials&client_id=a";
        assert_eq!(parse(&format!("{base}&scope=%22")), "invalid_scope: The requested scope is malformed");
        assert!(parse(&format!("{base}&resource=api")).starts_with("invalid_target: "));
    }

    #[test]
    fn so_many_scopes_and_resources_are_read_and_no_more() {
        let base = "grant_type=client_credentials&client_id=a";
        let scopes =
            |count: usize| (0..count).map(|number| format!("s{number}")).collect::<Vec<_>>().join("+");
        assert!(parse(&format!("{base}&scope={}", scopes(128))).contains("s127]"));
        for over in [scopes(129), vec!["s"; 129].join("++")] {
            let found = parse(&format!("{base}&scope={over}"));
            assert_eq!(found, "invalid_scope: More than 128 scopes were requested");
        }
        assert!(parse(&format!("{base}{}", "&resource=urn:a".repeat(16))).starts_with("client_credentials"));
        let found = parse(&format!("{base}{}", "&resource=urn:a".repeat(17)));
        assert_eq!(found, "invalid_request: More than 16 resources were requested");
    }
}
