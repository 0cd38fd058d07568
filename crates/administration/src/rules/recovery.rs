//! Which people can be sent a code to reset their password.

use accounts::AccountStatus;
use tenancy::Tenant;
use values::named;

use crate::kinds::account::State;
use crate::mail::MailPolicy;

/// Why a person is sent no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryObstacle {
    /// The server cannot send mail for the tenant.
    NoMailServer,
    /// The tenant does not offer sign-in.
    NoSignIn,
    /// The tenant's setting `sign_in.recovery` is false.
    RecoveryOff,
    /// The account has no email address.
    NoAddress,
    /// The account is suspended.
    Suspended,
    /// The operator's files declare the account and its password.
    Declared,
    /// The account has administrator permissions, and a mailbox must not be enough to get them.
    Administrator,
}

named! {
    RecoveryObstacle {
        NoMailServer => "no_mail_server",
        NoSignIn => "no_sign_in",
        RecoveryOff => "recovery_off",
        NoAddress => "no_address",
        Suspended => "suspended",
        Declared => "declared",
        Administrator => "administrator"
    }
}

impl RecoveryObstacle {
    /// The reason for the name of an obstacle.
    #[must_use]
    pub fn text_of(name: &str) -> Option<&'static str> {
        Self::NAMED.into_iter().find(|(named, _)| *named == name).map(|(_, obstacle)| obstacle.text())
    }

    /// The reason, and what to do.
    const fn text(self) -> &'static str {
        match self {
            Self::NoMailServer => "the server cannot send mail for this tenant. Set `mail` in config.yaml.",
            Self::NoSignIn => "this tenant does not offer sign-in. Set strategies.oidc.enabled.",
            Self::RecoveryOff => "sign_in.recovery of the tenant is false.",
            Self::NoAddress => "the account has no email address. Add one.",
            Self::Suspended => "the account is suspended. Resume it.",
            Self::Declared => "the operator's files declare the account. Change its password there.",
            Self::Administrator => {
                "the account has administrator permissions. Create a password link, or set mail.recovers_administrators."
            }
        }
    }
}

/// Everything that keeps the person from resetting the password by mail.
pub(crate) fn recovery_obstacles(tenant: &Tenant, row: &State, mail: MailPolicy) -> Vec<RecoveryObstacle> {
    use RecoveryObstacle as O;
    let is_administrator = !row.account.permissions.is_empty() && !mail.recovers_administrators;
    let found = [
        (O::NoMailServer, !mail.sends),
        (O::NoSignIn, !tenant.strategies.oidc),
        (O::RecoveryOff, !tenant.sign_in.recovery),
        (O::NoAddress, row.account.email().is_none()),
        (O::Suspended, row.account.status != AccountStatus::Active),
        (O::Declared, row.lifecycle.is_config_managed()),
        (O::Administrator, is_administrator),
    ];
    found.into_iter().filter_map(|(obstacle, is_there)| is_there.then_some(obstacle)).collect()
}
