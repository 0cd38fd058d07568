//! The result of a request's DPoP proof, for metrics.

use registry::{DpopCheck, SingleUseError};
use strum::{IntoStaticStr, VariantArray};

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ProofOutcome {
    Accepted,
    Refused,
    /// It was accepted before.
    Replayed,
    /// The client is told a nonce, and sends another proof.
    NonceNeeded,
    /// The server could not say.
    Unavailable,
}

impl ProofOutcome {
    pub(crate) const ALL: &[Self] = Self::VARIANTS;

    pub(crate) const fn from_failed_check(failed: DpopCheck) -> Self {
        match failed {
            DpopCheck::Nonce => Self::NonceNeeded,
            DpopCheck::Restore | DpopCheck::Replay => Self::Replayed,
            _ => Self::Refused,
        }
    }

    pub(crate) const fn of_use(error: &SingleUseError) -> Self {
        match error {
            SingleUseError::Replayed => Self::Replayed,
            SingleUseError::ShareUsedUp | SingleUseError::Store(_) => Self::Unavailable,
        }
    }

    /// The label of metrics.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}
