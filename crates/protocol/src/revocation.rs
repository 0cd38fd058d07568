//! Token revocation on the wire (RFC 7009 §2.1).

use values::Secret;

use crate::{ClientAuthentication, ErrorResponse, IntrospectionRequest};

#[derive(Debug)]
pub struct RevocationRequest {
    /// Not verified yet.
    pub token: Secret,
}

impl RevocationRequest {
    /// Reads the `Authorization` header and the body, which have the form of an introspection.
    /// Ignores `token_type_hint`: "An authorization server MAY ignore this parameter, particularly
    /// if it is able to detect the token type automatically" (RFC 7009 §2.1).
    ///
    /// # Errors
    /// - `invalid_request` for a missing token or a repeated parameter.
    /// - `invalid_client` if the request names no client.
    pub fn parse(
        authorization: Option<&[u8]>,
        body: &[u8],
    ) -> Result<(ClientAuthentication, Self), ErrorResponse> {
        // `token` is required (RFC 7009 §2.1), as in an introspection.
        let (credentials, IntrospectionRequest { token }) = IntrospectionRequest::parse(authorization, body)?;
        Ok((credentials, Self { token }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [revocation RFC 7009 §2.1]: `token` is required and occurs once
    // [revocation RFC 7009 §2.1 b]: `token_type_hint` is optional, an unknown one is ignored, and a wrong one
    //   does not keep the token from being found
    #[test]
    fn token_is_required_and_token_type_hint_ignored() {
        let parse = |body: &str| {
            let parsed = RevocationRequest::parse(None, body.as_bytes());
            parsed.map(|(_, request)| request.token.expose().to_owned()).map_err(|error| error.error.as_str())
        };
        for (body, expected) in [
            ("token=x&client_id=a", Ok("x")),
            ("client_id=a&token=x&token_type_hint=access_token", Ok("x")),
            ("token=x&client_id=a&token_type_hint=refresh_token", Ok("x")),
            ("token=x&client_id=a&token_type_hint=%00", Ok("x")),
            ("token=x&client_id=a&other=1", Ok("x")),
            ("token=x.y%2Bz&client_id=a", Ok("x.y+z")),
            ("client_id=a", Err("invalid_request")),
            ("token=&client_id=a", Err("invalid_request")),
            ("token=x&token=x&client_id=a", Err("invalid_request")),
            ("token=x&client_id=a&client_id=a", Err("invalid_request")),
            ("token=x&client_id=a&token_type_hint=a&token_type_hint=a", Err("invalid_request")),
            ("token=x", Err("invalid_client")),
        ] {
            assert_eq!(parse(body), expected.map(str::to_owned), "{body}");
        }
    }
}
