//! Requests that no route takes.

use crate::respond::Refusal;

pub(super) async fn unknown_path() -> Refusal {
    Refusal::not_found("Unknown path")
}

pub(super) async fn not_post() -> Refusal {
    Refusal::method_not_allowed("POST")
}

pub(super) async fn not_get() -> Refusal {
    Refusal::method_not_allowed("GET, HEAD")
}
