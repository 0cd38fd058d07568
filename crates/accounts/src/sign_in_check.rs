//! What a sign-in with a password checks of the tenant and the account, in its order. Explains to
//! administrators why a person cannot sign in. The password, the address and the browser are not known.

use tenancy::Tenant;

use crate::{Account, AccountStatus};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInCheck {
    TenantActive,
    SignInOffered,
    /// The account has an email address or a user name.
    Identifier,
    /// The account does not refuse unknown browsers after wrong passwords.
    Throttling,
    Password,
    AccountActive,
}

impl SignInCheck {
    /// In the order in which [`SignIns`](crate::SignIns) and its callers check.
    pub const ORDER: [Self; 6] = [
        Self::TenantActive,
        Self::SignInOffered,
        Self::Identifier,
        Self::Throttling,
        Self::Password,
        Self::AccountActive,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenantActive => "tenant_active",
            Self::SignInOffered => "sign_in_offered",
            Self::Identifier => "identifier",
            Self::Throttling => "throttling",
            Self::Password => "password",
            Self::AccountActive => "account_active",
        }
    }

    #[must_use]
    pub fn passes(self, tenant: &Tenant, account: &Account, is_throttled: bool) -> bool {
        match self {
            Self::TenantActive => tenant.is_active(),
            Self::SignInOffered => tenant.strategies.oauth2 && tenant.strategies.oidc,
            Self::Identifier => !account.identifiers.is_empty(),
            Self::Throttling => !is_throttled,
            Self::Password => account.password_changed_at.is_some(),
            Self::AccountActive => account.status == AccountStatus::Active,
        }
    }
}
