//! How refusals of AWS Secrets Manager are interpreted: the problem and the fix, on one line.

use std::error::Error;
use std::io;

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

use super::AwsStore;
use crate::secret_store::SecretStoreError;
use crate::secret_store::error::quoted;
use crate::secret_store::nonsense::{ExpectedMember, JsonType, Nonsense};
use crate::words::{on_one_line, root};

/// The required members of the response to a read. The response to a write has only the version.
const READ: [ExpectedMember; 3] =
    [("/VersionId", JsonType::Text), ("/CreatedDate", JsonType::Number), ("/SecretString", JsonType::Text)];

pub(super) enum AwsFailure {
    /// There are no credentials, so nothing was sent.
    NoCredentials(String),
    /// There was no connection, no response in time, or an incomplete response.
    Silent { why: String, is_sent: bool },
    /// The response is not one of AWS Secrets Manager.
    NotUnderstood(Nonsense),
    /// A refusal with its error code.
    Refused { status: u16, code: String, said: String },
}

/// The SDK's messages if there are no credentials. The SDK does not export the type of the error.
const NO_CREDENTIALS: [&str; 2] =
    ["the credential provider was not enabled", "the credentials provider was not properly configured"];
const MISSING: &str = "ResourceNotFoundException";
/// The credentials are expired or not yet valid, or lack a permission.
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
/// Error codes that may be temporary, whatever the HTTP status.
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
            // A response with a success status is not a refusal, even if the SDK reports it as one.
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
            // The cause may contain the body, which may contain a secret.
            SdkError::ResponseError(answer) => Self::NotUnderstood(nonsense(answer.raw())),
            error if chain(error).any(|cause| is_one_of(&NO_CREDENTIALS, cause)) => {
                Self::NoCredentials(root(error))
            }
            error => Self::Silent { why: root(error), is_sent: may_be_sent(error) },
        }
    }
}

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

/// Only a refused connection proves that nothing was sent.
fn may_be_sent(error: &(dyn Error + 'static)) -> bool {
    let is_refused = |cause: &(dyn Error + 'static)| {
        let cause = cause.downcast_ref::<io::Error>();
        cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
    };
    !chain(error).any(is_refused)
}

impl AwsStore {
    /// The prefix of every message.
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
                    "{place}: no response: {why}; check region, endpoint and network"
                ));
            }
            AwsFailure::NotUnderstood(nonsense) => return self.not_understood(path, *nonsense),
            AwsFailure::Refused { status, code, said } => (*status, code.as_str(), said),
        };
        let refused = format!("{place}: refused with {status} {code}: {said}");
        match code {
            MISSING => SecretStoreError::Missing(format!("{refused}; create it in this region")),
            // The secret or the version is marked for deletion.
            "InvalidRequestException" => {
                SecretStoreError::Missing(format!("{refused}; restore it if its current version is deleted"))
            }
            code if DENIED.contains(&code) => SecretStoreError::Denied(format!(
                "{refused}; allow `{action}` and use of the secret's KMS key in the program's role"
            )),
            code if PASSING.contains(&code) || status == 429 || status >= 500 => {
                SecretStoreError::Unavailable(format!("{refused}; try again later"))
            }
            _ if (300..400).contains(&status) => SecretStoreError::Unavailable(format!(
                "{place}: the service redirected with {status}, and Latchkey does not follow redirects; \
                    check the endpoint"
            )),
            _ => SecretStoreError::Unusable(format!("{refused}; check path and endpoint")),
        }
    }

    pub(super) fn not_understood(&self, path: &str, nonsense: Nonsense) -> SecretStoreError {
        let what_to_do = match nonsense {
            Nonsense::TooLarge => "check the endpoint, and store each client secret separately",
            Nonsense::NoJson => "check the endpoint and any proxy in front of it",
            _ => "check that the endpoint is AWS Secrets Manager",
        };
        SecretStoreError::Unusable(format!("{}: {nonsense}; {what_to_do}", self.place(path)))
    }

    pub(super) fn binary(&self, path: &str) -> SecretStoreError {
        SecretStoreError::Unusable(format!("{}: the secret is binary; store it as text", self.place(path)))
    }

    /// Refuses paths that cannot be a name or an ARN of AWS.
    pub(super) fn check(&self, path: &str) -> Result<(), SecretStoreError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-:!".contains(&byte);
        if !path.is_empty() && path.len() <= 2048 && path.bytes().all(fits) {
            return Ok(());
        }
        Err(SecretStoreError::Missing(format!(
            "{}: {} is not a valid secret name; use letters, digits and '/_+=.@-', or an ARN",
            self.name,
            quoted(path)
        )))
    }
}

/// Whether a failed write may have succeeded: it was sent, and AWS did not refuse it.
pub(super) fn may_be_written(failed: &AwsFailure) -> bool {
    match failed {
        AwsFailure::NoCredentials(_) => false,
        AwsFailure::Silent { is_sent, .. } => *is_sent,
        AwsFailure::NotUnderstood(_) => true,
        AwsFailure::Refused { status, code, .. } => *status >= 500 || code == "InternalServiceError",
    }
}
