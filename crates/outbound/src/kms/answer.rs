//! The meaning of AWS KMS' refusals. They have names; an unknown name is a temporary refusal, never damage.

use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::operation::encrypt::EncryptError;
use keys::SealError;

use crate::service_error::{ServiceError, on_one_line, root};

/// Interprets answers for one key.
pub(super) struct Answers {
    pub(super) name: String,
}

impl Answers {
    pub(super) fn to_wrap(&self, error: &SdkError<EncryptError, HttpResponse>) -> SealError {
        match error.as_service_error() {
            Some(EncryptError::NotFoundException(_)) => self.missing(),
            _ => self.service_error(error).into(),
        }
    }

    pub(super) fn to_unwrap(&self, error: &SdkError<DecryptError, HttpResponse>) -> SealError {
        match error.as_service_error() {
            Some(DecryptError::InvalidCiphertextException(_)) => SealError::Corrupt,
            // The ciphertext is intact but of another key, as when an alias was moved.
            Some(DecryptError::NotFoundException(_) | DecryptError::IncorrectKeyException(_)) => {
                self.missing()
            }
            _ => self.service_error(error).into(),
        }
    }

    pub(super) fn not_understood(&self, what: &'static str) -> SealError {
        ServiceError::NotUnderstood { service: self.name.clone(), what }.into()
    }

    fn missing(&self) -> SealError {
        SealError::KeyGone { name: self.name.clone() }
    }

    fn service_error<E>(&self, error: &SdkError<E, HttpResponse>) -> ServiceError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let service = self.name.clone();
        match error {
            SdkError::ServiceError(refusal) => {
                let (refusal, status) = (refusal.err(), refusal.raw().status().as_u16());
                match refusal.code() {
                    Some(code) => {
                        let said = refusal.message().unwrap_or("no reason");
                        ServiceError::Refused { service, status: on_one_line(code), said: on_one_line(said) }
                    }
                    None => ServiceError::Refused {
                        service,
                        status: status.to_string(),
                        said: "no reason".to_owned(),
                    },
                }
            }
            // The cause may quote the body, which should hold a data key.
            SdkError::ResponseError(_) => ServiceError::NotUnderstood { service, what: "no JSON of AWS KMS" },
            error => ServiceError::Silent { service, cause: root(error) },
        }
    }
}
