//! The operations of the API, each as its route in `routes` serves it.

pub(super) mod accounts;
pub(super) mod applications;
pub(super) mod clients;
pub(super) mod keys;
pub(super) mod oauth;
pub(super) mod openid;
pub(super) mod operations;
pub(super) mod tenants;
