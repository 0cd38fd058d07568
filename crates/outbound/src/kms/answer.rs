//! How AWS KMS errors are interpreted. An unknown error name counts as temporary, never as damage.

use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::operation::encrypt::EncryptError;
use keys::SealError;

use super::AwsKms;
use crate::words::on_one_line;

impl AwsKms {
    pub(super) fn wrap_error(&self, error: &SdkError<EncryptError, HttpResponse>) -> SealError {
        match error.as_service_error() {
            Some(EncryptError::NotFoundException(_)) => self.service.key_gone(),
            _ => self.error(error),
        }
    }

    pub(super) fn unwrap_error(&self, error: &SdkError<DecryptError, HttpResponse>) -> SealError {
        match error.as_service_error() {
            Some(DecryptError::InvalidCiphertextException(_)) => SealError::Corrupt,
            // The ciphertext is intact but belongs to another key, for example after an alias was moved.
            Some(DecryptError::NotFoundException(_) | DecryptError::IncorrectKeyException(_)) => {
                self.service.key_gone()
            }
            _ => self.error(error),
        }
    }

    fn error<E>(&self, error: &SdkError<E, HttpResponse>) -> SealError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        const NO_REASON: &str = "no reason";
        match error {
            SdkError::ServiceError(refusal) => match (refusal.err().code(), refusal.err().message()) {
                (Some(code), said) => {
                    self.service.refuses(&on_one_line(code), &on_one_line(said.unwrap_or(NO_REASON)))
                }
                (None, _) => self.service.refuses(&refusal.raw().status().as_u16().to_string(), NO_REASON),
            },
            // The cause may contain the body, which may contain a data key.
            SdkError::ResponseError(_) => self.service.not_understood("not a JSON response of AWS KMS"),
            error => self.service.silent(error),
        }
    }
}
