//! The meaning of AWS Secrets Manager's refusals: what happened and how to fix it, on one line.

use std::error::Error;
use std::io;

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

use super::AwsStore;
use crate::secret_store::SecretStoreError;
use crate::secret_store::error::quoted;
use crate::secret_store::nonsense::{ExpectedMember, JsonType, Nonsense};
use crate::words::{on_one_line, root};

/// The members of the answer to a read. The answer to a write has only the version.
const READ: [ExpectedMember; 3] =
    [("/VersionId", JsonType::Text), ("/CreatedDate", JsonType::Number), ("/SecretString", JsonType::Text)];

/// A request that failed.
pub(super) enum AwsFailure {
    /// No credentials, so that nothing was sent.
    NoCredentials(String),
    /// There was no connection, no answer in time, or a broken one.
    Silent { why: String, is_sent: bool },
    /// The answer is not one of AWS Secrets Manager.
    NotUnderstood(Nonsense),
    /// A refusal and its name.
    Refused { status: u16, code: String, said: String },
}

/// The SDK's message if there are no credentials. The SDK does not export the error's type.
const NO_CREDENTIALS: [&str; 2] =
    ["the credential provider was not enabled", "the credentials provider was not properly configured"];
const MISSING: &str = "ResourceNotFoundException";
/// The credentials are no longer or not yet good, or may not do this.
const DENIED: [&str; 10] = [
    "AccessDeniedException",
    "DecryptionFailure",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "UnrecognizedClientException",
];
/// A later attempt may succeed, whatever the status.
const PASSING: [&str; 6] = [
    "InternalServiceError",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

impl AwsFailure {
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == MISSING)
    }
}

impl<E> From<SdkError<E, HttpResponse>> for AwsFailure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            // An answer with a success status is no refusal, whatever the SDK makes of it.
            SdkError::ServiceError(answer) if answer.raw().status().is_success() => {
                Self::NotUnderstood(nonsense(answer.raw()))
            }
            SdkError::ServiceError(refusal) => {
                let error = refusal.err();
                Self::Refused {
                    status: refusal.raw().status().as_u16(),
                    code: on_one_line(error.code().unwrap_or("no reason")),
                    said: on_one_line(error.message().unwrap_or("no reason").trim_end_matches('.')),
                }
            }
            // The cause may quote the body, which should hold a secret.
            SdkError::ResponseError(answer) => Self::NotUnderstood(nonsense(answer.raw())),
            error if chain(error).any(|cause| is_one_of(&NO_CREDENTIALS, cause)) => {
                Self::NoCredentials(root(error))
            }
            error => Self::Silent { why: root(error), is_sent: may_be_sent(error) },
        }
    }
}

/// Why an answer cannot be understood.
fn nonsense(answer: &HttpResponse) -> Nonsense {
    Nonsense::of(answer.body().bytes(), &READ)
}

fn is_one_of(texts: &[&str], error: &(dyn Error + 'static)) -> bool {
    texts.contains(&error.to_string().as_str())
}

/// An error and its causes.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Only a refused connection shows that nothing was sent.
fn may_be_sent(error: &(dyn Error + 'static)) -> bool {
    let is_refused = |cause: &(dyn Error + 'static)| {
        let cause = cause.downcast_ref::<io::Error>();
        cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
    };
    !chain(error).any(is_refused)
}

impl AwsStore {
    /// The beginning of every message.
    pub(super) fn place(&self, path: &str) -> String {
        format!("{}: {path}", self.name)
    }

    pub(super) fn error(&self, path: &str, action: &str, failed: &AwsFailure) -> SecretStoreError {
        let place = self.place(path);
        let (status, code, said) = match failed {
            AwsFailure::NoCredentials(why) => {
                return SecretStoreError::Denied(format!(
                    "{place}: the program has no AWS credentials: {why}; give it a role"
                ));
            }
            AwsFailure::Silent { why, .. } => {
                return SecretStoreError::Silent(format!(
                    "{place}: no answer: {why}; check region, endpoint and network"
                ));
            }
            AwsFailure::NotUnderstood(nonsense) => return self.not_understood(path, *nonsense),
            AwsFailure::Refused { status, code, said } => (*status, code.as_str(), said),
        };
        let refused = format!("{place}: it refuses with {status} {code}: {said}");
        match code {
            MISSING => SecretStoreError::Missing(format!("{refused}; create it in this region")),
            // The secret or the version is marked for deletion.
            "InvalidRequestException" => {
                SecretStoreError::Missing(format!("{refused}; restore it if its current version is deleted"))
            }
            code if DENIED.contains(&code) => SecretStoreError::Denied(format!(
                "{refused}; let the program's role allow `{action}`, and use of the secret's KMS key"
            )),
            code if PASSING.contains(&code) || status == 429 || status >= 500 => {
                SecretStoreError::Unavailable(format!("{refused}; try later"))
            }
            _ if (300..400).contains(&status) => SecretStoreError::Unavailable(format!(
                "{place}: it redirects with {status}, which is not followed; check the endpoint"
            )),
            _ => SecretStoreError::Unusable(format!("{refused}; check path and endpoint")),
        }
    }

    pub(super) fn not_understood(&self, path: &str, nonsense: Nonsense) -> SecretStoreError {
        let what_to_do = match nonsense {
            Nonsense::TooLarge => "check the endpoint, and store each client secret by itself",
            Nonsense::NoJson => "check the endpoint, and look at a proxy before it",
            _ => "check that the endpoint is that of AWS Secrets Manager",
        };
        SecretStoreError::Unusable(format!("{}: {nonsense}; {what_to_do}", self.place(path)))
    }

    pub(super) fn binary(&self, path: &str) -> SecretStoreError {
        SecretStoreError::Unusable(format!("{}: it is binary; store it as text", self.place(path)))
    }

    /// A name or an ARN has only some characters and a limited length.
    pub(super) fn check(&self, path: &str) -> Result<(), SecretStoreError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-:!".contains(&byte);
        if !path.is_empty() && path.len() <= 2048 && path.bytes().all(fits) {
            return Ok(());
        }
        Err(SecretStoreError::Missing(format!(
            "{}: {} is no name of a secret; use letters, digits and '/_+=.@-', or an ARN",
            self.name,
            quoted(path)
        )))
    }
}

/// Whether a write may have happened although it failed: it was sent and AWS did not refuse it.
pub(super) fn may_be_written(failed: &AwsFailure) -> bool {
    match failed {
        AwsFailure::NoCredentials(_) => false,
        AwsFailure::Silent { is_sent, .. } => *is_sent,
        AwsFailure::NotUnderstood(_) => true,
        AwsFailure::Refused { status, code, .. } => *status >= 500 || code == "InternalServiceError",
    }
}
