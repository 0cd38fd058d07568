//! A tenant's keys, their private halves sealed as the store holds them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use keys::{KeyId, KeyRecord, KeyRecords};
use protocol::Timestamp;
use serde::{Deserialize, Serialize};

use super::Row;

#[derive(Serialize, Deserialize)]
pub(crate) struct KeysForm {
    next: u32,
    keys: Vec<KeyForm>,
}

#[derive(Serialize, Deserialize)]
struct KeyForm {
    number: u32,
    algorithm: String,
    sealed_private_key: String,
    thumbprint: String,
    announced_at: Timestamp,
    active_from: Timestamp,
    retiring_from: Option<Timestamp>,
    removed_at: Option<Timestamp>,
}

impl Row for KeyRecords {
    type Form = KeysForm;

    fn to_form(&self) -> KeysForm {
        let Self { next, keys } = self;
        KeysForm { next: next.number(), keys: keys.iter().map(key_form).collect() }
    }

    fn from_form(form: KeysForm) -> Option<Self> {
        let keys = form.keys.into_iter().map(key).collect::<Option<_>>()?;
        Some(Self { next: KeyId::numbered(form.next), keys })
    }
}

fn key_form(key: &KeyRecord) -> KeyForm {
    let KeyRecord {
        id,
        algorithm,
        sealed_private_key,
        thumbprint,
        announced_at,
        active_from,
        retiring_from,
        removed_at,
    } = key;
    KeyForm {
        number: id.number(),
        algorithm: algorithm.to_string(),
        sealed_private_key: BASE64.encode(sealed_private_key),
        thumbprint: thumbprint.clone(),
        announced_at: *announced_at,
        active_from: *active_from,
        retiring_from: *retiring_from,
        removed_at: *removed_at,
    }
}

fn key(form: KeyForm) -> Option<KeyRecord> {
    Some(KeyRecord {
        id: KeyId::numbered(form.number),
        algorithm: form.algorithm.parse().ok()?,
        sealed_private_key: BASE64.decode(form.sealed_private_key).ok()?,
        thumbprint: form.thumbprint,
        announced_at: form.announced_at,
        active_from: form.active_from,
        retiring_from: form.retiring_from,
        removed_at: form.removed_at,
    })
}

#[cfg(test)]
mod tests {
    use testkit::fixtures::{self, NOW};

    use super::*;

    #[test]
    fn every_field_comes_back() {
        let retired = KeyRecord { retiring_from: Some(NOW), removed_at: Some(NOW), ..fixtures::key(1) };
        for keys in [vec![], vec![retired, fixtures::key(2)]] {
            let records = KeyRecords { next: KeyId::numbered(3), keys };
            let text = serde_json::to_string(&records.to_form()).unwrap();
            assert_eq!(KeyRecords::from_form(serde_json::from_str(&text).unwrap()).unwrap(), records);
        }
    }
}
