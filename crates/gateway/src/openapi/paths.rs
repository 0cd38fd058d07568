//! The operations outside the admin API. `routes` serves them.

pub(super) mod applications;
pub(super) mod oauth;
pub(super) mod openid;
pub(super) mod operations;
