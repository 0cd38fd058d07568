//! JSON that may contain a secret, and is wiped when it is dropped.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde_json::Value;
use zeroize::Zeroize as _;

/// A value whose texts are wiped when it is dropped, unless [`Wiped::take`] took them out.
#[derive(Default)]
pub struct Wiped(Value);

impl Wiped {
    /// Takes ownership of the value, so that no copy stays in memory.
    #[must_use]
    pub const fn new(value: Value) -> Self {
        Self(value)
    }

    /// Takes the value out. The caller then has to wipe it.
    #[must_use]
    pub fn take(mut self) -> Value {
        std::mem::take(&mut self.0)
    }
}

impl Deref for Wiped {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut Value {
        &mut self.0
    }
}

impl fmt::Debug for Wiped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Names of members are not wiped, because they are words of the API.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
