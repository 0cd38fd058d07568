//! The operations of the API but those of administration, each as its route in `routes` serves it.

pub(super) mod applications;
pub(super) mod oauth;
pub(super) mod openid;
pub(super) mod operations;
