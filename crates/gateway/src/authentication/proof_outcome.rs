//! The result of a request's DPoP proof, for metrics.

use registry::{DpopCheck, SingleUseError};
use strum::{IntoStaticStr, VariantArray};

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ProofOutcome {
    Accepted,
    Refused,
    /// The proof was used before.
    Replayed,
    /// The client gets a nonce and has to send another proof.
    NonceNeeded,
    /// The server could not check whether the proof was used before.
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

    /// The label in the metrics.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}
