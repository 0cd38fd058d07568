//! Checks the redirect URI. Until the redirect URI is verified, the server shows errors to the
//! person and sends no answer to the client.

use std::sync::Arc;

use protocol::{AuthorizationAddress, GrantType, is_registered_redirect_uri};
use registry::{Client, ClientStatus};

/// The person sees these errors; the client does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The client is unknown, suspended, or not registered for codes. Callers cannot tell the
    /// difference.
    #[error("the client is unknown, or does not use sign-in")]
    Client,
    /// The redirect URI is not registered.
    #[error("the redirect URI is not registered for the client")]
    RedirectUri,
}

/// # Errors [`AddressError::Client`].
pub fn check_client(client: Option<Arc<Client>>) -> Result<Arc<Client>, AddressError> {
    let signs_in = |client: &Arc<Client>| {
        client.status == ClientStatus::Active && client.grant_types.contains(&GrantType::AuthorizationCode)
    };
    client.filter(signs_in).ok_or(AddressError::Client)
}

/// RFC 9700 §2.1: "MUST utilize exact string matching".
///
/// # Errors [`AddressError::RedirectUri`].
pub fn check_address(client: &Client, address: &AuthorizationAddress) -> Result<(), AddressError> {
    let registered = client.code_flow.redirect_uris.iter().map(String::as_str);
    let is_registered = is_registered_redirect_uri(registered, &address.redirect_uri);
    if is_registered { Ok(()) } else { Err(AddressError::RedirectUri) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::{client, web_client};

    #[test]
    fn inactive_clients_and_unregistered_uris_are_refused() {
        let address = |redirect_uri: &str| AuthorizationAddress { redirect_uri: redirect_uri.to_owned() };
        let own = address("https://app.example/cb");
        let web = web_client("web");
        assert_eq!(check_client(Some(Arc::new(web.clone()))), Ok(Arc::new(web.clone())));
        assert_eq!(check_address(&web, &own), Ok(()));
        let suspended = Client { status: ClientStatus::Suspended, ..web.clone() };
        for none in [None, Some(suspended), Some(client("svc"))] {
            assert_eq!(check_client(none.map(Arc::new)), Err(AddressError::Client));
        }
        for other in ["https://app.example/cb/", "https://app.example/CB", "https://evil.example/cb"] {
            assert_eq!(check_address(&web, &address(other)), Err(AddressError::RedirectUri), "{other}");
        }
    }
}
