//! May this client revoke this token? (RFC 7009 §2.1)

use registry::{Client, ClientId, TokenRevocation};

use crate::AccessTokenClaims;

/// Returns `None` if the token belongs to another client. RFC 7009 §2.1: "The authorization server
/// first validates the client credentials … and then verifies whether the token was issued to the
/// client making the revocation request." The response is the same in both cases, so that a client
/// learns nothing about tokens of others.
pub(crate) fn decide(claims: AccessTokenClaims<'static>, client: &Client) -> Option<TokenRevocation> {
    let holder = ClientId::parse(&claims.client_id).ok().filter(|holder| *holder == client.id)?;
    let (issued_at, expires_at) = (claims.iat, claims.exp);
    let sub = claims.is_of_person().then(|| claims.sub.into_owned());
    Some(TokenRevocation { client: holder, jti: claims.jti, issued_at, expires_at, sub })
}

#[cfg(test)]
mod tests {
    use registry::SecretId;
    use uuid::Uuid;
    use values::Timestamp;

    use super::*;
    use crate::test_fixtures::{acme, claims, client};

    // [revocation RFC 7009 §2.1 d]: A token of another client is not revoked, and the caller is informed of
    //   the error. Here the answer is 200 as for an invalid token, because an error would say that the token
    //   is valid | departs
    #[test]
    fn a_client_revokes_its_own_tokens_only() {
        let (tenant, svc) = (acme(), client("svc"));
        let jti = registry::CredentialTag::of_secret(&tenant.id, &svc.id, &SecretId::new("s1"))
            .token_id(Uuid::nil());
        let claims = claims("svc", &jti.to_string());
        let revoked = decide(claims.clone(), &svc).unwrap();
        assert_eq!((revoked.client, revoked.jti), (svc.id, jti.to_string()));
        assert_eq!((revoked.issued_at, revoked.expires_at), (claims.iat, claims.exp));
        assert!(revoked.expires_at > Timestamp::from_seconds(0));
        for other in ["sv", "svc2", "Svc", "gatekeeper"] {
            assert_eq!(decide(claims.clone(), &client(other)), None, "{other}");
        }
    }
}
