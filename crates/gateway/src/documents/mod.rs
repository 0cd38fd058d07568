//! What the admin API is sent, read strictly: JSON whose members are each there once, known, and of their type. The documents are
//! administration's; here is the text around them.

mod key;
mod read;

pub(crate) use key::{KeyRotation, key_import, key_rotation};
pub(crate) use read::{client_patch, new_client, new_secret, new_tenant, rotation, secret_end, tenant_patch};
