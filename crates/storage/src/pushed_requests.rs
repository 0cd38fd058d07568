//! The statements of pushed authorization requests.

use grants::{MostWaiting, PushedRequest};

use crate::columns::columns;
use crate::one_time::{Emptied, OneTimeKind};
use crate::statement::Argument;

columns! {
    PushedRequest { parameters, pushed_from, opened_at }
}

impl OneTimeKind for PushedRequest {
    const TABLE: &'static str = "pushed_requests";
    const KEY: &'static str = "tenant_id, slot, request_digest";
    const USED: &'static str = "used_at";
    const UNTIL: &'static str = "expires_at";
    const NOTED: &'static str = "opened_at";
    const USABLE: &'static str = "TRUE";
    const EMPTIED: Option<Emptied> = Some(Emptied::WithUse("parameters"));
    const EARLY: Option<&'static str> =
        Some("(used_at IS NOT NULL OR opened_at IS NULL) AND valid_until <= $1");

    /// IPv6 addresses of one network share the part before the `/`, and count together.
    fn limits(most: &MostWaiting) -> Vec<(&'static str, u32)> {
        vec![
            ("w.used_at IS NULL", most.of_client),
            ("w.used_at IS NULL AND w.pushed_from = given.pushed_from", most.of_source),
            (
                "w.used_at IS NULL AND substr(w.pushed_from, 1, {position}(given.pushed_from, '/'))
                                     = substr(given.pushed_from, 1, {position}(given.pushed_from, '/'))",
                most.of_site,
            ),
        ]
    }

    fn noted((): &()) -> (&'static str, Vec<Argument>) {
        ("", Vec::new())
    }
}
