//! May this device use this person's account? In a device authorization (RFC 8628) a device gets two codes, a
//! person types one of them into a browser and decides, and the device redeems the other. In reading order:

mod code;
mod request;
mod store;

mod authorizations;
mod polls;

pub(crate) use authorizations::Polled;
pub use authorizations::{DeviceAuthorizations, TypedCode};
pub use code::DeviceCode;
use code::{DEVICE_CODE_LIFETIME, POLL_INTERVAL};
pub use request::DeviceAuthorizationRequest;
pub use store::DeviceCodeStore;
