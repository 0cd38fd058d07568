//! May this device use this person's account? In a device authorization (RFC 8628) a device gets two codes, a
//! person types one of them into a browser and decides, and the device redeems the other. `device_code.rs`
//! has the requests of devices. In reading order:

mod code;

mod authorizations;

pub use authorizations::{DeviceAuthorizations, DeviceCodeStore, TypedCode};
pub use code::DeviceCode;
