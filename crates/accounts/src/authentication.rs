//! A proof that a person was present: the account, the time, and the methods. Only a successful sign-in
//! creates one.

use tenancy::TenantId;
use values::Timestamp;

use crate::AccountId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    tenant: TenantId,
    account: AccountId,
    at: Timestamp,
    methods: &'static [AuthenticationMethod],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationMethod {
    Password,
}

impl Authentication {
    pub(crate) const fn by_password(tenant: TenantId, account: AccountId, at: Timestamp) -> Self {
        Self { tenant, account, at, methods: &[AuthenticationMethod::Password] }
    }

    /// An authentication without proof, for tests of other crates.
    #[cfg(feature = "unproven-authentications")]
    #[must_use]
    pub const fn unproven(tenant: TenantId, account: AccountId, at: Timestamp) -> Self {
        Self::by_password(tenant, account, at)
    }

    /// Moves the authentication to the time of a password change that followed it, because authentications
    /// before `valid_from` are not valid any more.
    #[must_use]
    pub fn kept_from(self, valid_from: Timestamp) -> Self {
        Self { at: self.at.max(valid_from), ..self }
    }

    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// The `auth_time` of ID tokens (OpenID Connect Core §2).
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The `amr` of ID tokens.
    #[must_use]
    pub const fn methods(&self) -> &'static [AuthenticationMethod] {
        self.methods
    }

    /// The `acr` of ID tokens.
    #[must_use]
    pub const fn acr(&self) -> &'static str {
        "urn:latchkey:acr:1"
    }
}

// The values in `amr` (RFC 8176 §2).
values::named!(AuthenticationMethod { Password => "pwd" });
