//! What came of the DPoP proof of a request, for metrics.

use registry::{DpopCheck, SingleUseError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub(crate) const ALL: [Self; 5] =
        [Self::Accepted, Self::Refused, Self::Replayed, Self::NonceNeeded, Self::Unavailable];

    pub(crate) const fn of(failed: DpopCheck) -> Self {
        match failed {
            DpopCheck::Nonce => Self::NonceNeeded,
            DpopCheck::Replay => Self::Replayed,
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
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Replayed => "replayed",
            Self::NonceNeeded => "nonce_needed",
            Self::Unavailable => "unavailable",
        }
    }
}
