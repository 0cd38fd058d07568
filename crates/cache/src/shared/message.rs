//! Invalidation messages between replicas: which rows of one tenant have changed. Messages are sealed like values. An
//! attacker with access to Redis can neither create nor read one; a replayed message only costs some reads.

use administration::Invalidation;
use registry::ClientId;
use serde::{Deserialize, Serialize};
use tenancy::TenantId;

use super::sealer::{Purpose, Sealer};

/// Changes of one tenant from one replica.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) sender: String,
    pub(crate) changes: Vec<Invalidation>,
}

#[derive(Serialize, Deserialize)]
struct Form {
    sender: String,
    tenant: String,
    changes: Vec<ChangeForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChangeForm {
    Tenant,
    Client(String),
    Keys,
}

/// The tenant of a change.
pub(crate) fn tenant_of(change: &Invalidation) -> &TenantId {
    match change {
        Invalidation::Tenant(tenant) | Invalidation::Client(tenant, _) | Invalidation::Keys(tenant) => tenant,
    }
}

/// Seals a message; `None` only without random bytes.
pub(crate) fn seal(
    sealer: &Sealer,
    channel: &str,
    sender: &str,
    tenant: &TenantId,
    changes: &[Invalidation],
) -> Option<Vec<u8>> {
    let changes = changes.iter().map(|change| match change {
        Invalidation::Tenant(_) => ChangeForm::Tenant,
        Invalidation::Client(_, client) => ChangeForm::Client(client.to_string()),
        Invalidation::Keys(_) => ChangeForm::Keys,
    });
    let form = Form { sender: sender.to_owned(), tenant: tenant.to_string(), changes: changes.collect() };
    sealer.seal(Purpose::Message, channel, serde_json::to_vec(&form).ok()?)
}

/// Opens a message; `None` unless a replica has sealed it for this channel.
pub(crate) fn open(sealer: &Sealer, channel: &str, sealed: &[u8]) -> Option<Message> {
    let plaintext = sealer.open(Purpose::Message, channel, sealed)?;
    let form: Form = serde_json::from_slice(&plaintext).ok()?;
    let tenant = TenantId::parse(&form.tenant).ok()?;
    let changes = form.changes.into_iter().map(|change| {
        Some(match change {
            ChangeForm::Tenant => Invalidation::Tenant(tenant.clone()),
            ChangeForm::Client(client) => {
                Invalidation::Client(tenant.clone(), ClientId::parse(&client).ok()?)
            }
            ChangeForm::Keys => Invalidation::Keys(tenant.clone()),
        })
    });
    Some(Message { sender: form.sender, changes: changes.collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use secrets::Pepper;
    use testkit::fixtures;
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_message_comes_back_from_its_own_channel_only() {
        let sealer = Sealer::new(&Pepper::from_bytes(Zeroizing::new([1; 32])));
        let tenant = fixtures::tenant_id("acme");
        let changes = vec![
            Invalidation::Tenant(tenant.clone()),
            Invalidation::Client(tenant.clone(), fixtures::client_id("a:b é")),
            Invalidation::Keys(tenant.clone()),
        ];
        let sealed = seal(&sealer, "a", "me", &tenant, &changes).unwrap();
        assert_eq!(open(&sealer, "a", &sealed), Some(Message { sender: "me".to_owned(), changes }));
        assert_eq!(open(&sealer, "b", &sealed), None);
    }
}
