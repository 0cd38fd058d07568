//! The method and the result of a client authentication, for log and metrics.

use protocol::PresentedMethod;
use strum::{IntoStaticStr, VariantArray};

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum AuthenticationOutcome {
    Accepted,
    Refused,
    /// The server could not check the credential, for example because the store failed.
    Unavailable,
}

impl AuthenticationOutcome {
    pub(crate) const ALL: &[Self] = Self::VARIANTS;

    /// The label in the metrics.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptedAuthentication {
    pub(crate) method: PresentedMethod,
    pub(crate) outcome: AuthenticationOutcome,
}
