//! The checks of the options of Vault's transit engine.

use super::connection::{VaultConnection, check_name};
use super::session::VaultSession;
use crate::{OptionsError, ServiceUrl, VaultOptions, VaultSignIn};

impl VaultOptions {
    pub(super) fn check(&self) -> Result<ServiceUrl, OptionsError> {
        check_name("transit_key", &self.transit_key, false)?;
        check_name("mount", &self.mount, true)?;
        if let Some(namespace) = &self.namespace {
            check_name("namespace", namespace, true)?;
        }
        ServiceUrl::parse("vault.address", &self.address)
    }

    pub(super) fn session(self, address: ServiceUrl) -> Result<VaultSession, OptionsError> {
        let connection = VaultConnection::new(address, self.namespace, self.ca.as_deref())?;
        VaultSession::new(connection, VaultSignIn::Token(self.token))
    }
}
