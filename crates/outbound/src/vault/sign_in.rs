//! The ways to get a Vault token, and its lifetime.

use std::sync::Arc;
use std::time::{Duration, Instant};

use values::Secret;
use vaultrs::api::AuthInfo;
use vaultrs::api::auth::approle::requests::LoginWithApproleRequest;
use vaultrs::api::auth::kubernetes::requests::LoginWithKubernetesRequest;
use vaultrs::client::VaultClient;
use vaultrs::error::ClientError;

use super::connection::{VaultConnection, check_name};
use super::failed::{NotSignedIn, may_pass};
use super::{request, token};
use crate::{OptionsError, VaultSignIn};

/// The pause between the two attempts.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

const ALL_GIVEN: &str = "each required member is given";

/// A client with a token, and the token's lifetime.
pub(super) struct TokenLease {
    pub(super) client: Arc<VaultClient>,
    pub(super) is_renewable: bool,
    /// When two thirds of the token's lifetime are over. `None` if the lifetime is unknown.
    due: Option<Instant>,
}

impl TokenLease {
    /// The token is never renewed here, until [`Self::prolong`] sets its lifetime.
    pub(super) fn endless(client: VaultClient) -> Self {
        Self { client: Arc::new(client), is_renewable: false, due: None }
    }

    pub(super) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    /// Sets the lifetime from a sign-in or a renewal. The lifetime counts from `begun`, before the request
    /// was sent.
    pub(super) fn prolong(&mut self, begun: Instant, given: &AuthInfo) {
        self.is_renewable = given.renewable;
        let life = Duration::from_secs(given.lease_duration);
        // Vault returns 0 if the token does not expire.
        self.due = if life.is_zero() { None } else { begun.checked_add(life / 3 * 2) };
    }
}

impl VaultSignIn {
    /// The token, if it is known without a request. Also checks that the credentials can be read.
    pub(super) fn check(&self) -> Result<Option<Secret>, OptionsError> {
        match self {
            Self::Token(token) => token.find().map(Some),
            Self::Kubernetes { mount, role, token: (path, read) } => {
                check_name("the mount of the sign-in", mount, true)?;
                check_name("the role", role, false)?;
                token::trimmed(path, read(path)).map(|_| None)
            }
            Self::AppRole { mount, role_id, secret_id } => {
                check_name("the mount of the sign-in", mount, true)?;
                check_name("the role_id", role_id, false)?;
                secret_id.find().map(|_| None)
            }
        }
    }

    /// Signs in. Tries again once if the first attempt failed temporarily.
    pub(super) async fn lease(&self, connection: &VaultConnection) -> Result<TokenLease, NotSignedIn> {
        let (mut begun, mut given) = (Instant::now(), self.ask(connection).await?);
        if given.as_ref().is_err_and(may_pass) {
            tokio::time::sleep(PAUSE).await;
            (begun, given) = (Instant::now(), self.ask(connection).await?);
        }
        let given = given.map_err(|error| NotSignedIn::from_error(&error))?;
        let token = token::sound(&given.client_token).map_err(|_| NotSignedIn::without_token())?;
        let mut lease = TokenLease::endless(connection.with_token(&token));
        lease.prolong(begun, &given);
        Ok(lease)
    }

    async fn ask(&self, connection: &VaultConnection) -> Result<Result<AuthInfo, ClientError>, NotSignedIn> {
        let client = connection.without_token();
        match self {
            Self::Token(_) => Err(NotSignedIn::without_token()),
            Self::Kubernetes { mount, role, token: (path, read) } => {
                let token = token::read(path, *read).await;
                let token = token.map_err(|error| NotSignedIn::credentials(token::unusable(path, &error)))?;
                let login = LoginWithKubernetesRequest::builder()
                    .mount(mount)
                    .role(role)
                    .jwt(token.expose())
                    .build()
                    .expect(ALL_GIVEN);
                Ok(request::auth(&client, login).await)
            }
            Self::AppRole { mount, role_id, secret_id } => {
                let secret_id = secret_id.current().await.map_err(NotSignedIn::credentials)?;
                let login = LoginWithApproleRequest::builder()
                    .mount(mount)
                    .role_id(role_id)
                    .secret_id(secret_id.expose())
                    .build()
                    .expect(ALL_GIVEN);
                Ok(request::auth(&client, login).await)
            }
        }
    }
}
