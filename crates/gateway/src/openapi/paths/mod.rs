//! The paths of the API. A function here has the operation id of the document for its name and is never called; the handler is in `routes`.

#![expect(dead_code, reason = "the functions are read by the derive, at compile time")]

pub(super) mod applications;
pub(super) mod clients;
pub(super) mod keys;
pub(super) mod oauth;
pub(super) mod operations;
pub(super) mod tenants;
