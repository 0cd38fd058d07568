//! An API key as an access token of its client: the claims of that token.

use protocol::{Audience, Credential, GrantType, Scope};
use registry::{ApiKey, ClientStatus, SenderKeys};

use crate::{AccessTokenClaims, Grantee, grant_check};

/// The claims of a live key, from its creation to its end. The client of `grantee` has only what the key may
/// use. Returns nothing if the client could get no token with the key. A key is a bearer token, so it gives
/// no access where tokens must be bound to a key of their sender.
pub(crate) fn claims(key: &ApiKey, grantee: &Grantee<'_>) -> Option<AccessTokenClaims<'static>> {
    let client = grantee.client;
    let is_usable = client.status == ClientStatus::Active
        && client.authentication_method.allows(Some(Credential::Secret))
        && grant_check::check(GrantType::ClientCredentials, grantee, &SenderKeys::default()).is_ok();
    is_usable.then(|| {
        let (iss, id) = (grantee.issuer().to_owned(), client.id.to_string());
        let aud = match client.audiences.is_empty() {
            true => Audience::One(id.clone().into()),
            false => Audience::Many(client.audiences.clone().into()),
        };
        AccessTokenClaims {
            scope: Scope::text(client.scope.iter()),
            api_key: Some(key.id.to_string().into()),
            ..AccessTokenClaims::of_client(iss, id, aud, key.created_at, key.expires_at, key.id.to_string())
        }
    })
}
