//! Records that can be used once: authorization codes, device codes and pushed requests. In reading
//! order:

mod record;
mod store;
mod texts;

pub use record::{Allowed, OneTime, OneTimeContent, OneTimeKey, OneTimeUse};
pub use store::OneTimeStore;
pub(crate) use texts::OneTimeTexts;
