//! Bodies of the admin API, read strictly: JSON whose members are each there once, known, and of their type. The documents are
//! administration's; here is the text around them.

mod key_rotation;
mod read;

pub(crate) use key_rotation::KeyRotation;
pub(crate) use read::{patch, read, secret_end};
