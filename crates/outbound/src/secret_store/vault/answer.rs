//! How Vault's refusals for a secret are interpreted: the problem and the fix, on one line.

use rustify::errors::ClientError as HttpError;
use serde::Deserialize;
use vaultrs::error::ClientError;

use super::kv::{VersionAnswer, VersionMetadata};
use super::{VaultPermission, VaultStore};
use crate::secret_store::SecretStoreError;
use crate::secret_store::error::quoted;
use crate::secret_store::nonsense::{ExpectedMember, JsonType, Nonsense};
use crate::vault::failed::{Cause, Failed, NotSignedIn, is_nonsense, is_redirect, may_pass, status};
use crate::words::root;

/// The required members of the response to a read.
const READ: [ExpectedMember; 4] = [
    ("/data", JsonType::Object),
    ("/data/metadata", JsonType::Object),
    ("/data/metadata/version", JsonType::Number),
    ("/data/metadata/created_time", JsonType::Text),
];
/// The required members of the response to a write.
const WRITTEN: [ExpectedMember; 3] = [
    ("/data", JsonType::Object),
    ("/data/version", JsonType::Number),
    ("/data/created_time", JsonType::Text),
];
const SEALED: &str = "Vault is sealed";
const NO_SUCH_MOUNT: &str = "no handler for route";
const CHANGED: &str = "check-and-set parameter did not match";

impl VaultStore {
    /// The prefix of every message.
    pub(super) fn place(&self, path: &str) -> String {
        format!("{}: {path}", self.name)
    }

    pub(super) fn error(&self, path: &str, attempt: VaultPermission, failed: &Failed) -> SecretStoreError {
        let place = self.place(path);
        let (error, token) = match failed {
            Failed::Request { error, token } => (error, token),
            Failed::SignIn(NotSignedIn { why, cause }) => {
                return match cause {
                    Cause::Silent => SecretStoreError::Silent(format!("{place}: {why}; see Vault's log")),
                    Cause::Passing => {
                        SecretStoreError::Unavailable(format!("{place}: {why}; see Vault's log"))
                    }
                    Cause::Lasting => {
                        SecretStoreError::Denied(format!("{place}: {why}; check how the store signs in"))
                    }
                };
            }
        };
        let Some((status, said)) = status(error) else {
            if is_nonsense(error) {
                return self.not_understood(path, nonsense(error, attempt));
            }
            let why = root(error);
            return SecretStoreError::Silent(format!(
                "{place}: no response: {why}; check address and network"
            ));
        };
        let refused = format!("{place}: refused with {status}: {said}");
        match status {
            403 => match token {
                Some(why) => SecretStoreError::Denied(format!("{refused}; {why}")),
                None => SecretStoreError::Denied(format!("{refused}; {}", self.policy(path, attempt))),
            },
            404 if said.contains(NO_SUCH_MOUNT) => {
                SecretStoreError::Missing(format!("{refused}; check the mount {}", self.mount))
            }
            404 => SecretStoreError::Missing(match deleted(failed) {
                Some(metadata) => {
                    let state = if metadata.destroyed { "destroyed" } else { "deleted" };
                    format!("{place}: its current version is {state}; undelete it or write a new version")
                }
                None => format!("{place}: the mount {} has no such secret; create it", self.mount),
            }),
            _ if said.contains(SEALED) => SecretStoreError::Unavailable(format!("{refused}; unseal Vault")),
            _ if said.contains(CHANGED) => SecretStoreError::Unavailable(format!(
                "{refused}; another write changed it in the meantime: \
                    write again"
            )),
            _ if is_redirect(error) => SecretStoreError::Unavailable(format!(
                "{place}: Vault redirected with {status}, and Latchkey does not follow redirects; use the \
                    address of the active node"
            )),
            _ if may_pass(error) => {
                SecretStoreError::Unavailable(format!("{refused}; try again later, or see Vault's log"))
            }
            _ => SecretStoreError::Unusable(format!(
                "{refused}; check that the mount is a KV engine, version 2"
            )),
        }
    }

    /// The response is not that of a KV engine.
    pub(super) fn not_understood(&self, path: &str, nonsense: Nonsense) -> SecretStoreError {
        let what_to_do = match nonsense {
            Nonsense::TooLarge => "check the address, and store each client secret separately".to_owned(),
            Nonsense::NoJson => {
                "check that the address is Vault's, and check any proxy in front of it".to_owned()
            }
            _ => format!("check that {} is a KV engine, version 2", self.mount),
        };
        SecretStoreError::Unusable(format!("{}: {nonsense}; {what_to_do}", self.place(path)))
    }

    pub(super) fn no_path(&self, path: &str) -> SecretStoreError {
        SecretStoreError::Missing(format!(
            "{}: {} is not a valid secret path; use letters, digits, '-', '_' and '/'",
            self.name,
            quoted(path)
        ))
    }

    pub(super) fn no_key(&self, path: &str) -> SecretStoreError {
        SecretStoreError::Unusable(format!(
            "{}: a Vault secret is an object with members; name the key of one member",
            self.place(path)
        ))
    }

    fn policy(&self, path: &str, attempt: VaultPermission) -> String {
        let capability = match attempt {
            VaultPermission::Read => "read",
            VaultPermission::Write(0) => "create",
            VaultPermission::Write(_) => "update",
        };
        format!("allow `{capability}` on {}/data/{path} in its policy", self.mount)
    }
}

fn nonsense(error: &ClientError, attempt: VaultPermission) -> Nonsense {
    match error {
        ClientError::RestClientError { source: HttpError::ResponseParseError { content, .. } } => {
            let members = match attempt {
                VaultPermission::Read => &READ[..],
                VaultPermission::Write(_) => &WRITTEN[..],
            };
            Nonsense::of(content.as_deref().map(str::as_bytes), members)
        }
        ClientError::ResponseDataEmptyError => Nonsense::NoMember("/data"),
        _ => Nonsense::NoJson,
    }
}

/// Whether the version does not exist, or the token may not read it.
pub(super) fn is_missing(failed: &Failed) -> bool {
    match failed {
        Failed::Request { error, .. } => matches!(status(error), Some((403 | 404, _))),
        Failed::SignIn(_) => false,
    }
}

/// The version to replace if there is none to read: that of a deleted secret, or 0 if the secret does not
/// exist. `None` for other failures.
pub(super) fn deleted_version(failed: &Failed) -> Option<u64> {
    match failed {
        Failed::Request { error, .. } => match status(error)? {
            (404, said) if said.contains(NO_SUCH_MOUNT) => None,
            (404, _) => Some(deleted(failed).map_or(0, |metadata| metadata.version)),
            _ => None,
        },
        Failed::SignIn(_) => None,
    }
}

/// For a deleted or destroyed version, Vault answers 404 with the version's metadata.
fn deleted(failed: &Failed) -> Option<VersionMetadata> {
    #[derive(Deserialize)]
    struct Whole {
        data: VersionAnswer,
    }
    match failed {
        Failed::Request {
            error:
                ClientError::RestClientError {
                    source: HttpError::ServerResponseError { content: Some(content), .. },
                },
            ..
        } => serde_json::from_str::<Whole>(content).ok().map(|whole| whole.data.metadata),
        _ => None,
    }
}

/// Whether a failed write may have succeeded: it was sent, and Vault did not refuse it.
pub(super) fn may_be_written(failed: &Failed) -> bool {
    let Failed::Request { error, .. } = failed else { return false };
    match status(error) {
        // 503 comes from a sealed Vault, or from a proxy. From a proxy it means no more than 502.
        Some((503, said)) => !said.contains(SEALED),
        Some((status, _)) => status >= 500,
        None => !was_never_connected(error),
    }
}

fn was_never_connected(error: &ClientError) -> bool {
    match error {
        ClientError::RestClientError { source: HttpError::RequestError { source, .. } } => {
            source.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect)
        }
        _ => false,
    }
}
