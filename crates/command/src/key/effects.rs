//! Shows which tokens the removal of keys breaks, and asks for a confirmation.

use std::io::{Write as _, stderr};

use administration::documents::{BrokenTokensView, KeysChanged};
use anyhow::Context as _;
use keys::Kid;
use serde_json::json;
use tenancy::TenantId;

use crate::admin_client::{AdminApi, AdminApiError, ApiProblem, ApiRequest, not_understood};
use crate::output;
use crate::paths::keys_path;
use crate::process::OUTPUT;

/// Which keys to remove.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taking {
    /// All keys, in an emergency.
    All,
    One(Kid),
}

impl Taking {
    /// Without a confirmation the API changes nothing, and answers which tokens the request would break.
    pub(super) fn request(self, tenant: &TenantId, confirmed: bool) -> ApiRequest {
        let keys = keys_path(tenant);
        match self {
            Self::All => ApiRequest::post(
                format!("{keys}/rotate"),
                &json!({ "emergency": true, "confirm": confirmed }),
            ),
            Self::One(key) => ApiRequest::delete(format!("{keys}/{key}?confirm={confirmed}")),
        }
    }
}

/// Shows what breaks. Fails unless the operator confirms.
pub(super) async fn confirm(
    admin: &AdminApi,
    tenant: &TenantId,
    taking: Taking,
    yes: bool,
) -> anyhow::Result<()> {
    let Err(error) = admin.send::<KeysChanged>(taking.request(tenant, false)).await else {
        return Err(not_understood(&"it did what was not confirmed"));
    };
    let breaks = match error.downcast()? {
        AdminApiError::Refused(ApiProblem { breaks: Some(breaks), .. }) => breaks,
        error => return Err(error.into()),
    };
    let effects = words(tenant, taking, &breaks);
    if yes {
        writeln!(stderr(), "{effects}").context(OUTPUT)?;
    }
    output::confirm(&format!("{effects}\nGo on?"), yes)
}

fn words(tenant: &TenantId, taking: Taking, breaks: &[BrokenTokensView]) -> String {
    let mut words = match taking {
        Taking::All => format!(
            "A new key of tenant {tenant} signs at once, and all others are gone at once.\n\
             Verifiers may refuse new tokens until they fetch the keys again: for up to 30 s with PyJWT and jose."
        ),
        Taking::One(key) => format!("Key {key} of tenant {tenant} is gone at once."),
    };
    for BrokenTokensView { kid, until } in breaks {
        words.push_str(&format!(
            "\nTokens signed by {kid} are refused from then on; the last of them would have lived until {}.",
            until.0.to_rfc3339()
        ));
    }
    if breaks.is_empty() {
        words.push_str(match taking {
            Taking::All => "\nThis refuses no token that is valid now.",
            Taking::One(_) => "\nNo token that is valid now was signed by it.",
        });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_tokens_of_every_key_are_listed() {
        let tenant = TenantId::parse("acme").unwrap();
        let breaks = [1, 2].map(|number| BrokenTokensView {
            kid: Kid::Numbered(number).to_string(),
            until: values::Timestamp::from_seconds(86_400 * number as u64).into(),
        });
        insta::assert_snapshot!(words(&tenant, Taking::All, &breaks), @r"
        A new key of tenant acme signs at once, and all others are gone at once.
        Verifiers may refuse new tokens until they fetch the keys again: for up to 30 s with PyJWT and jose.
        Tokens signed by oauth2-key-1 are refused from then on; the last of them would have lived until 1970-01-02T00:00:00Z.
        Tokens signed by oauth2-key-2 are refused from then on; the last of them would have lived until 1970-01-03T00:00:00Z.
        ");
        insta::assert_snapshot!(words(&tenant, Taking::One(Kid::Numbered(3)), &[]), @r"
        Key oauth2-key-3 of tenant acme is gone at once.
        No token that is valid now was signed by it.
        ");
        insta::assert_snapshot!(words(&tenant, Taking::All, &[]), @r"
        A new key of tenant acme signs at once, and all others are gone at once.
        Verifiers may refuse new tokens until they fetch the keys again: for up to 30 s with PyJWT and jose.
        This refuses no token that is valid now.
        ");
    }
}
