//! The reasons why each client authentication method refuses a request, one table for each method. This file
//! has the reasons that are common to all methods. The access log shows the code of a reason, `latchkey
//! explain` its sentences, `latchkey inspect` its check, and docs/operations.md lists all of them.

use protocol::CredentialReason;

/// Defines constants of [`CredentialReason`]: the code, the problem, and the fix.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident: $code:literal, $detail:literal, $fix:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $name: &protocol::CredentialReason =
                &protocol::CredentialReason { code: $code, detail: $detail, fix: $fix };
        )*
        pub const REASONS: &[&protocol::CredentialReason] = &[$($name),*];
    };
}

/// Defines the checks of a credential as one type, which is also the error type. A row has the texts of
/// `latchkey inspect`: the name of the check, its rule, and the fix. After `=>` follows the reason: a code,
/// the problem, and optionally a different fix. Rows below `beside` are further refusals by one of these
/// checks.
macro_rules! checks {
    ($(#[$doc:meta])* $checks:ident {
        $($(#[$about:meta])* $check:ident: $name:literal, $rule:literal, $fix:literal => $reason:tt;)*
    } beside {
        $($(#[$about_other:meta])* $other:ident as $by:ident: $other_fix:literal => $other_reason:tt;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $checks { $($(#[$about])* $check,)* $($(#[$about_other])* $other,)* }

        impl $checks {
            /// In the order in which they run.
            pub const ALL: &[Self] = &[$(Self::$check),*];
            pub const REASONS: &[&protocol::CredentialReason] =
                &[$(Self::$check.reason(),)* $(Self::$other.reason()),*];

            /// The reason for the log and for administrators.
            #[must_use]
            pub const fn reason(self) -> &'static protocol::CredentialReason {
                match self {
                    $(Self::$check => reason!($fix, $reason),)*
                    $(Self::$other => reason!($other_fix, $other_reason),)*
                }
            }
        }

        impl keys::DescribedCheck for $checks {
            fn texts(self) -> keys::CheckTexts {
                match self {
                    $(Self::$check => ($name, $rule, $fix),)*
                    $(Self::$other => (keys::DescribedCheck::name(Self::$by), keys::DescribedCheck::rule(Self::$by), $other_fix),)*
                }
            }
        }
    };
}

macro_rules! reason {
    ($fix:literal, ($code:literal, $detail:literal)) => {
        reason!("", ($code, $detail, $fix))
    };
    ($_fix:literal, ($code:literal, $detail:literal, $fix:literal)) => {
        &protocol::CredentialReason { code: $code, detail: $detail, fix: $fix }
    };
    ($_fix:literal, $shared:ident) => {
        $shared
    };
}

pub mod api_key;
pub mod assertion;
pub mod certificate;
pub mod dpop;
pub mod federation;
pub mod secret;

reasons! {
    UNKNOWN_CLIENT: "unknown_client",
        "This server does not know the client yet.",
        "Explain the request again.";
    CLIENT_SUSPENDED: "client_suspended",
        "The client is suspended.",
        "Run `latchkey client resume TENANT CLIENT`.";
    /// The tenant, the client or the credential was suspended or revoked while the request was running.
    ENDED_MEANWHILE: "ended_meanwhile",
        "The tenant, the client or its credential was suspended or revoked during the request.",
        "Explain the request again.";
    /// The client is registered for a different authentication method.
    METHOD_NOT_REGISTERED: "method_not_registered",
        "The client is registered with another client authentication method.",
        "Run `latchkey client set TENANT CLIENT token_endpoint_auth_method=any`.";
    /// The request names a client without a credential.
    CREDENTIAL_MISSING: "credential_missing",
        "The request names the client but contains no credential that this server can check.",
        "Send the client secret with client_secret_basic or client_secret_post.";
    /// The credentials or the client identifier are malformed.
    MALFORMED: "malformed_credentials",
        "Credentials of this form cannot belong to any client.",
        "Compare the client id and secret with the registration.";
}

/// The reasons of all methods, and of DPoP proofs.
pub const TABLES: [&[&CredentialReason]; 7] = [
    REASONS,
    secret::REASONS,
    api_key::REASONS,
    assertion::AssertionCheck::REASONS,
    federation::FederationCheck::REASONS,
    certificate::CertificateCheck::REASONS,
    dpop::DpopCheck::REASONS,
];

#[cfg(test)]
mod tests {
    use keys::DescribedCheck;
    use protocol::RefusalReason;

    use super::*;

    #[test]
    fn operations_page_lists_every_reason() {
        let page = include_str!("../../../docs/operations.md");
        let (_, chapter) = page.split_once("### Reasons of refused requests\n").unwrap();
        let (table, others) = chapter.split_once("The others are ").unwrap();
        let shown: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
        let mut rows = Vec::new();
        for reason in TABLES.into_iter().flatten() {
            let row = format!("| `{}` | {} |", reason.code, reason.detail);
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        assert_eq!(shown, rows);
        let others: Vec<_> = others.split("\n\n").next().unwrap().split('`').skip(1).step_by(2).collect();
        assert_eq!(others, RefusalReason::NAMES);
    }

    #[test]
    fn reasons_and_checks_have_texts_and_unique_names() {
        for reason in TABLES.into_iter().flatten() {
            let same = TABLES.into_iter().flatten().find(|other| other.code == reason.code);
            assert_eq!(same.map(|same| same.detail), Some(reason.detail), "{}", reason.code);
            assert!(reason.detail.ends_with('.') && !reason.fix.is_empty(), "{reason:?}");
        }
        check(assertion::AssertionCheck::ALL);
        check(federation::FederationCheck::ALL);
        check(certificate::CertificateCheck::ALL);
        check(dpop::DpopCheck::ALL);
    }

    fn check<C: DescribedCheck>(checks: &[C]) {
        for (index, check) in checks.iter().enumerate() {
            assert_eq!(checks.iter().position(|other| other.name() == check.name()), Some(index));
            assert!(!check.rule().is_empty() && !check.fix().is_empty(), "{}", check.name());
        }
    }
}
