//! May this device use this person's account? In a device authorization (RFC 8628) a device gets
//! two codes. A person types the user code into a browser and decides. The device redeems the
//! device code. `device_code.rs` parses the requests of devices. In reading order:

mod code;

mod authorizations;

pub use authorizations::{DeviceAuthorizations, DeviceCodeStore, TypedCode};
pub use code::DeviceCode;
