//! Keys that cannot be had: whether the caller should try again. What is wrong with a key its ring has told the log, once and not at each
//! request; the words for the caller name nothing.

use keys::{KeyError, SealError};
use tenancy::StoreError;

use super::oauth_error::Causes;

/// What the caller is told.
#[derive(Debug)]
pub(super) enum KeyErrorClass {
    /// The store's fault, by which it is answered and logged.
    Store(StoreError),
    /// It may be better in a moment.
    Unavailable,
    /// Only an operator can mend it.
    Failed,
}

impl KeyErrorClass {
    /// Of an error, which the log knows of from then on.
    pub(super) fn of(error: &KeyError) -> Self {
        match error {
            KeyError::Store(error) => Self::Store(error.clone()),
            KeyError::Unseal { source, .. } | KeyError::Seal { source, .. } => match source {
                SealError::Unavailable(_) => Self::Unavailable,
                _ => Self::Failed,
            },
            KeyError::Unusable { .. } | KeyError::ThumbprintDiffers { .. } => Self::Failed,
            KeyError::Contended { .. } => {
                tracing::warn!(cause = %Causes(error), "request not served for now");
                Self::Unavailable
            }
            KeyError::Generation(_) | KeyError::NoSigningKey { .. } => {
                tracing::error!(cause = %Causes(error), "request failed");
                Self::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keys::KeyId;
    use tenancy::TenantId;

    use super::*;

    #[test]
    fn only_what_passes_by_itself_is_called_unavailable() {
        let (tenant, key) = (TenantId::parse("acme").unwrap(), KeyId::numbered(1));
        let unseal = |source| KeyError::Unseal { tenant: tenant.clone(), key, source };
        for (error, passes) in [
            (unseal(SealError::Unavailable(Arc::new(std::io::Error::other("down")))), true),
            (unseal(SealError::Corrupt), false),
            (unseal(SealError::UnknownFormat), false),
            (KeyError::ThumbprintDiffers { tenant: tenant.clone(), key }, false),
            (KeyError::Contended { tenant: tenant.clone() }, true),
            (KeyError::NoSigningKey { tenant: tenant.clone() }, false),
        ] {
            assert_eq!(matches!(KeyErrorClass::of(&error), KeyErrorClass::Unavailable), passes, "{error}");
        }
    }
}
