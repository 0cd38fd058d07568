//! Invalidation messages between replicas: the changed rows of one tenant. Messages are sealed like values,
//! so an attacker with access to Redis can neither create nor read them. A replayed message only causes
//! additional reads.

use administration::kinds::Invalidation;
use serde::{Deserialize, Serialize};

use super::sealer::{SealPurpose, Sealer};

/// Changes of one tenant, sent by one replica.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) sender: String,
    pub(crate) changes: Vec<Invalidation>,
}

impl Message {
    pub(crate) fn seal(&self, sealer: &Sealer, channel: &str) -> Option<Vec<u8>> {
        sealer.seal(SealPurpose::Message, channel, &serde_json::to_vec(self).ok()?)
    }

    /// Unseals a message. Returns `None` unless a replica with the same format has sealed it for this
    /// channel.
    pub(crate) fn open(sealer: &Sealer, channel: &str, sealed: &[u8]) -> Option<Self> {
        serde_json::from_slice(&sealer.open(SealPurpose::Message, channel, sealed)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use secrets::Pepper;
    use testkit::fixtures;
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn message_opens_only_on_its_own_channel() {
        let sealer = Sealer::new(&Pepper::from_bytes(Zeroizing::new([1; 32])));
        let tenant = fixtures::tenant_id("acme");
        let changes = vec![
            Invalidation::Tenant(tenant.clone()),
            Invalidation::Client(tenant.clone(), fixtures::client_id("a:b é")),
            Invalidation::Keys(tenant),
        ];
        let message = Message { sender: "me".to_owned(), changes };
        let sealed = message.seal(&sealer, "a").unwrap();
        assert_eq!(Message::open(&sealer, "a", &sealed), Some(message));
        assert_eq!(Message::open(&sealer, "b", &sealed), None);
    }
}
