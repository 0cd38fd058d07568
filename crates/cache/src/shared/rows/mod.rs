//! How rows are written down for other replicas. A form names every field of its row, so that a new field does not compile until
//! it is here; a form that cannot be read is no value.

mod client;
mod keys;
mod tenant;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A row that can be shared.
pub(crate) trait Row: Sized + Send + Sync + 'static {
    /// The row in words. When it changes its meaning, `sealer::FORMAT` changes too, or replicas of two versions misread each other.
    type Form: Serialize + DeserializeOwned + Send;

    fn to_form(&self) -> Self::Form;

    fn from_form(form: Self::Form) -> Option<Self>;
}

/// The value of this name.
fn named<T: Copy>(all: &[T], name_of: impl Fn(T) -> &'static str, name: &str) -> Option<T> {
    all.iter().copied().find(|value| name_of(*value) == name)
}
