//! What a caller may know about a token (RFC 7662 §2.2, §4).

use protocol::{ActiveToken, IntrospectionResponse, TokenType};
use registry::{Client, ClientStatus, IntrospectionRight};

use crate::{AccessTokenClaims, Grantee};

/// Answers about a token whose signature, times and issuer have been checked. Everything that is none of the caller's business
/// looks like a dead token: "the authorization server SHOULD NOT include any additional information" (RFC 7662 §2.2).
pub(crate) fn decide(
    claims: &AccessTokenClaims,
    caller: &Grantee<'_>,
    holder: Option<&Client>,
) -> IntrospectionResponse {
    let holder_is_live = holder.is_some_and(|holder| holder.status == ClientStatus::Active);
    if !holder_is_live || !may_know(claims, caller) {
        return IntrospectionResponse::Inactive;
    }
    IntrospectionResponse::Active(Box::new(ActiveToken {
        scope: claims.scope.clone(),
        client_id: claims.client_id.clone(),
        token_type: TokenType::Bearer,
        exp: claims.exp.seconds(),
        iat: claims.iat.seconds(),
        nbf: claims.nbf.seconds(),
        sub: claims.sub.clone(),
        aud: claims.aud.clone(),
        iss: claims.iss.clone(),
        jti: claims.jti.clone(),
    }))
}

fn may_know(claims: &AccessTokenClaims, caller: &Grantee<'_>) -> bool {
    let id = caller.client.id.as_str();
    let own = claims.client_id == id;
    match caller.client.introspection {
        IntrospectionRight::Own => own,
        IntrospectionRight::Tenant => true,
        IntrospectionRight::Audience => {
            let listed = |audience| {
                let server = caller.tenant.resource_server(audience);
                server.is_some_and(|server| server.introspection_clients.iter().any(|client| client == id))
            };
            own || claims.aud.iter().any(listed)
        }
    }
}
