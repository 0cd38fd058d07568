//! The operations of the API outside administration, each as its route in `routes` serves it.

pub(super) mod applications;
pub(super) mod oauth;
pub(super) mod openid;
pub(super) mod operations;
