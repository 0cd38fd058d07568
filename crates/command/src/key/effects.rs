//! Shows which tokens the removal of keys breaks, and asks for a confirmation.

use std::io::{Write as _, stderr};

use administration::documents::{BrokenTokensView, KeysChanged};
use anyhow::Context as _;
use keys::Kid;
use serde_json::json;
use tenancy::TenantId;

use crate::admin_client::{AdminApi, AdminApiError, ApiProblem, ApiRequest, not_understood};
use crate::output::{self, readable};
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
        return Err(not_understood(&"the server changed keys without the confirmation"));
    };
    let breaks = match error.downcast()? {
        AdminApiError::Refused(ApiProblem { breaks: Some(breaks), .. }) => breaks,
        error => return Err(error.into()),
    };
    let effects = words(tenant, taking, &breaks);
    if yes {
        writeln!(stderr(), "{effects}").context(OUTPUT)?;
    }
    output::confirm(&format!("{effects}\nContinue?"), yes)
}

fn words(tenant: &TenantId, taking: Taking, breaks: &[BrokenTokensView]) -> String {
    let mut words = match taking {
        Taking::All => format!(
            "A new key of tenant {tenant} will sign immediately, and all other keys will be removed immediately.\nVerifiers \
                 may refuse new tokens until they fetch the keys again: for up to 30 s with PyJWT and jose."
        ),
        Taking::One(key) => format!("Key {key} of tenant {tenant} will be removed immediately."),
    };
    for BrokenTokensView { kid, until } in breaks {
        words.push_str(&format!(
            "\nTokens signed by {kid} will be refused. The last of them would have expired at {}.",
            readable(until.0)
        ));
    }
    if breaks.is_empty() {
        words.push_str(match taking {
            Taking::All => "\nAll currently valid tokens stay valid.",
            Taking::One(_) => "\nAll currently valid tokens stay valid, because another key signed them.",
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
        A new key of tenant acme will sign immediately, and all other keys will be removed immediately.
        Verifiers may refuse new tokens until they fetch the keys again: for up to 30 s with PyJWT and jose.
        Tokens signed by oauth2-key-1 will be refused. The last of them would have expired at 1970-01-02 00:00 UTC.
        Tokens signed by oauth2-key-2 will be refused. The last of them would have expired at 1970-01-03 00:00 UTC.
        ");
        insta::assert_snapshot!(words(&tenant, Taking::One(Kid::Numbered(3)), &[]), @r"
        Key oauth2-key-3 of tenant acme will be removed immediately.
        All currently valid tokens stay valid, because another key signed them.
        ");
        insta::assert_snapshot!(words(&tenant, Taking::All, &[]), @r"
        A new key of tenant acme will sign immediately, and all other keys will be removed immediately.
        Verifiers may refuse new tokens until they fetch the keys again: for up to 30 s with PyJWT and jose.
        All currently valid tokens stay valid.
        ");
    }
}
