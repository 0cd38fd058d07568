//! The persistent keyring of a user in the Linux kernel. Each operation requests the keyring again, which
//! restarts its expiry.

use std::str;

use linux_keyutils::{KeyError, KeyRing, KeyRingIdentifier};
use zeroize::Zeroizing;

use super::{Keyring, KeyringError};

/// The keyring of the user that this process runs as.
#[derive(Debug)]
pub(super) struct KernelKeyring;

impl Keyring for KernelKeyring {
    fn store(&self, name: &str, secret: &str) -> Result<(), KeyringError> {
        persistent()?.add_key(&description(name), secret).map_err(refused)?;
        Ok(())
    }

    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, KeyringError> {
        let key = match persistent()?.search(&description(name)) {
            Ok(key) => key,
            Err(error) if is_absent(error) => return Ok(None),
            Err(error) => return Err(refused(error)),
        };
        let bytes = Zeroizing::new(key.read_to_vec().map_err(refused)?);
        let text = str::from_utf8(&bytes).map_err(|_| KeyringError::NoText(name.to_owned()))?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }

    fn remove(&self, name: &str) -> Result<(), KeyringError> {
        match persistent()?.search(&description(name)).and_then(|key| key.invalidate()) {
            Err(error) if !is_absent(error) => Err(refused(error)),
            _ => Ok(()),
        }
    }
}

/// The keyring, linked to the keyring of this process, so that the process may read its secrets. The session
/// keyring would not work: a process that was not started by a login has none.
fn persistent() -> Result<KeyRing, KeyringError> {
    KeyRing::get_persistent(KeyRingIdentifier::Process).map_err(refused)
}

fn description(name: &str) -> String {
    format!("latchkey:{name}")
}

/// A removed key is reported as revoked until the kernel has cleaned up.
fn is_absent(error: KeyError) -> bool {
    matches!(error, KeyError::KeyDoesNotExist | KeyError::KeyRevoked | KeyError::KeyExpired)
}

fn refused(error: KeyError) -> KeyringError {
    KeyringError::Refused(Box::new(error))
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn kernel_keyring_stores_secrets_by_name() {
        let keyring = KernelKeyring;
        let names = ["acme", "globex"].map(|tenant| format!("test {} {tenant}", process::id()));
        for (name, secret) in [(&names[0], "one"), (&names[1], "other"), (&names[0], "two")] {
            keyring.store(name, secret).unwrap();
        }
        let read = |name: &str| keyring.read(name).unwrap().map(|secret| secret.to_string());
        assert_eq!((read(&names[0]).as_deref(), read(&names[1]).as_deref()), (Some("two"), Some("other")));
        keyring.remove(&names[0]).unwrap();
        assert_eq!((read(&names[0]), read(&names[1]).as_deref()), (None, Some("other")));
        keyring.remove(&names[1]).unwrap();
        keyring.remove(&names[1]).unwrap();
    }

    #[test]
    fn error_for_binary_secret_hides_its_bytes() {
        let name = format!("test {} bytes", process::id());
        persistent().unwrap().add_key(&description(&name), b"canary\xff").unwrap();
        let refused = KernelKeyring.read(&name).unwrap_err();
        assert!(matches!(&refused, KeyringError::NoText(found) if *found == name), "{refused:?}");
        KernelKeyring.remove(&name).unwrap();
    }
}
