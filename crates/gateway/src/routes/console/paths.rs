//! Paths of the console.

use tenancy::TenantId;

/// `/console` for operators, `/console/t/…` for the administrators of a tenant.
pub(crate) fn path_of(home: &TenantId) -> String {
    if home.as_str() == TenantId::PLATFORM { "/console".to_owned() } else { format!("/console/t/{home}") }
}

/// The path of the link from an error page back to the overview. `None` outside the console.
pub(crate) fn way_from(path: &str) -> Option<&str> {
    let below = path.strip_prefix("/console")?;
    let end = match below.strip_prefix("/t/") {
        Some(rest) => path.len() - rest.len() + rest.find('/').unwrap_or(rest.len()),
        None => path.len() - below.len(),
    };
    Some(&path[..end])
}
