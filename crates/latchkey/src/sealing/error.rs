//! Why the server's own secrets are unavailable.

use std::io;
use std::path::PathBuf;

use keys::{GenerationError, InvalidSealingKey, SealError};
use outbound::OptionsError;
use tenancy::StoreError;

use crate::settings::SealingKeySource;

/// The reason.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealingError {
    #[error("the sealing key {} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("the sealing key {} cannot be written", .0.display())]
    Unwritable(PathBuf, #[source] io::Error),
    #[error("the sealing key cannot be used")]
    Invalid(#[from] InvalidSealingKey),
    #[error("the sealing key in {0} cannot be used")]
    Options(&'static str, #[source] OptionsError),
    #[error("{}, which a sealing key needs, cannot be read", .0.display())]
    Beside(PathBuf, #[source] io::Error),
    #[error(
        "the sealing key {} is missing, and the store holds rows that only it can open; put it back. \
         A new one is made by `latchkey key new-sealing-key`, but cannot open them",
        .0.display()
    )]
    Missing(PathBuf),
    #[error(
        "the sealing key {} is missing; make one with `latchkey key new-sealing-key --file` and give it to every replica",
        .0.display()
    )]
    NotMade(PathBuf),
    #[error("no sealing key could be made")]
    Generation(#[from] GenerationError),
    #[error(
        "the pepper cannot be opened; probably neither keys.sealing_key nor one of keys.former_sealing_keys is the key that sealed it"
    )]
    NotOpened(#[source] SealError),
    /// The service that holds the key did not answer, refused, or no longer has the key; the pepper itself may be intact.
    #[error("the sealing key cannot be used")]
    Unusable(#[source] SealError),
    #[error("the pepper has the wrong length")]
    PepperLength,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SealingError {
    /// The error of unsealing the pepper.
    pub(super) fn opening(error: SealError) -> Self {
        match error {
            SealError::Unavailable(_) | SealError::KeyGone { .. } => Self::Unusable(error),
            error => Self::NotOpened(error),
        }
    }

    /// The key is not where the settings say, and rows need it. Only a file can be missing.
    pub(crate) fn missing(setting: &SealingKeySource) -> Self {
        match setting {
            SealingKeySource::File(path) => Self::Missing(path.clone()),
            SealingKeySource::Text(_) | SealingKeySource::Vault { .. } | SealingKeySource::AwsKms(_) => {
                Self::PepperLength
            }
        }
    }

    /// The key is not where the settings say, and this machine must not create one.
    pub(super) fn not_made(setting: &SealingKeySource) -> Self {
        match setting {
            SealingKeySource::File(path) => Self::NotMade(path.clone()),
            SealingKeySource::Text(_) | SealingKeySource::Vault { .. } | SealingKeySource::AwsKms(_) => {
                Self::PepperLength
            }
        }
    }
}
