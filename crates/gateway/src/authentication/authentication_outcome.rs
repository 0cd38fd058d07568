//! How a client was presented and what came of it, for log and metrics.

use protocol::PresentedMethod;
use strum::{IntoStaticStr, VariantArray};

/// The result of a client authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum AuthenticationOutcome {
    Accepted,
    Refused,
    /// The server could not say.
    Unavailable,
}

impl AuthenticationOutcome {
    pub(crate) const ALL: &[Self] = Self::VARIANTS;

    /// The label of metrics.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A client authentication, for log and metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptedAuthentication {
    pub(crate) method: PresentedMethod,
    pub(crate) outcome: AuthenticationOutcome,
}
