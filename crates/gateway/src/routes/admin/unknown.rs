//! Requests of the admin API that no route takes. Its paths answer problems wherever they are asked for, also at an address that does
//! not serve them: what is not there looks the same everywhere.

use actix_web::{HttpResponse, ResponseError as _};

use crate::failure::Failure;
use crate::respond::Problem;

/// Whether the path is one of the admin API's.
pub(in crate::routes) fn is_admin(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    if (parts.next(), parts.next()) != (Some("api"), Some("v1")) {
        return false;
    }
    match parts.next() {
        Some("admin") => true,
        Some("tenant") => matches!(parts.nth(1), Some("clients" | "keys" | "audit")),
        _ => false,
    }
}

pub(in crate::routes) fn unknown_path() -> HttpResponse {
    Problem::from(Failure::UnknownPath).error_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_paths_are_distinguished_from_others() {
        for path in [
            "/api/v1/admin",
            "/api/v1/admin/",
            "/api/v1/admin/x/y",
            "/api/v1/tenant/acme/clients",
            "/api/v1/tenant/acme/clients/",
            "/api/v1/tenant//clients/a",
            "/api/v1/tenant/acme/keys",
            "/api/v1/tenant/acme/audit",
        ] {
            assert!(is_admin(path), "{path}");
        }
        for path in [
            "/",
            "/api/v1",
            "/api/v1/administration",
            "/api/v1/tenant/clients",
            "/api/v1/tenant/acme/clientele",
            "/x/api/v1/admin",
            "/api/v1/tenant/acme/oauth/clients",
        ] {
            assert!(!is_admin(path), "{path}");
        }
    }
}
