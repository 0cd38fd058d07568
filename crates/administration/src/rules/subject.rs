//! The rules for pairwise subjects: a client with pairwise subjects belongs to one sector (OpenID Connect
//! Core §8.1).

use protocol::{GrantType, SubjectType, check_redirect_uri};
use registry::{Client, CodeFlow};
use tenancy::Tenant;

use super::{FieldErrors, Interface};
use crate::documents::ClientSettings;

const SECTOR: &str = "/sector_identifier_uri";

pub(super) fn check_subject_type(errors: &mut FieldErrors, settings: &ClientSettings) -> Option<SubjectType> {
    let name = settings.subject_type.as_deref()?;
    errors.check_one_of("/subject_type", name, &SubjectType::NAMED)
}

/// The document at the URI is not fetched: the operator declares which clients belong together.
pub(super) fn check_sector_identifier_uri(
    errors: &mut FieldErrors,
    settings: &ClientSettings,
) -> Option<String> {
    let uri = settings.sector_identifier_uri.as_ref()?;
    if check_redirect_uri(uri, false).is_err() || !uri.starts_with("https://") {
        let detail = "this is not an https URI with a host, without a user and a fragment";
        errors.refuse(SECTOR, detail, "use a URI such as `https://example.com`; its host is the sector");
    }
    Some(uri.clone())
}

/// A client with pairwise subjects needs a sector. Applications of the Thunder-compatible API cannot name a
/// sector. If their redirect URIs have different hosts, each application is its own sector.
pub(super) fn check_sector(
    errors: &mut FieldErrors,
    tenant: &Tenant,
    settings: &ClientSettings,
    flow: &CodeFlow,
) {
    let is_pairwise = flow.subject_type.unwrap_or(tenant.subject) == SubjectType::Pairwise;
    let signs_in = GrantType::BEGINNINGS
        .iter()
        .any(|grant| settings.grant_types.iter().any(|name| name == grant.as_str()));
    if !is_pairwise || !signs_in || errors.interface() == Interface::Adapter {
        return;
    }
    if let Some(why) = lacks_sector(flow) {
        let at = if flow.subject_type.is_some() { "/subject_type" } else { "/redirect_uris" };
        // An absent member has no place in a file.
        let at = if flow.redirect_uris.is_empty() && flow.subject_type.is_none() { "" } else { at };
        let detail = format!(
            "a client with pairwise subjects needs exactly one sector, and {why} (OpenID Connect Core §8.1)"
        );
        let hint =
            "set `sector_identifier_uri: https://HOST` to choose the sector, or set `subject_type: public`";
        errors.refuse(at, detail, hint);
    }
}

/// Refuses pairwise subjects for a tenant if a client would have no sector.
pub(crate) fn check_sectors<'a>(
    errors: &mut FieldErrors,
    before: &Tenant,
    after: &Tenant,
    clients: impl Iterator<Item = &'a Client>,
) {
    if after.subject == before.subject {
        return;
    }
    let signs_in =
        |client: &&Client| GrantType::BEGINNINGS.iter().any(|grant| client.grant_types.contains(grant));
    for client in clients.filter(signs_in) {
        if client.subject_type(after) == SubjectType::Public {
            continue;
        }
        if let Some(why) = lacks_sector(&client.code_flow) {
            let detail = format!("client {} has no sector, because {why}", client.id);
            errors.refuse(
                "/subject",
                detail,
                "set a `sector_identifier_uri` or a `subject_type` for the client first",
            );
        }
    }
}

/// Why a registration has no sector.
fn lacks_sector(flow: &CodeFlow) -> Option<&'static str> {
    if flow.sector().is_some() || flow.sector_identifier_uri.is_some() {
        return None;
    }
    Some(if flow.redirect_uris.is_empty() {
        "it has no redirect URI"
    } else {
        "its redirect URIs have several hosts, or one has no host"
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::edit::test_states::{client_id, state};
    use crate::rules::check_client;

    #[track_caller]
    fn check(of_tenant: SubjectType, interface: Interface, mut settings: Value, expected: &[&str]) {
        let described = settings.to_string();
        settings["token_endpoint_auth_method"] = "none".into();
        let tenant = Tenant { subject: of_tenant, ..state("t").tenant };
        let mut errors = FieldErrors::from_interface(interface);
        let settings = ClientSettings::read(settings).unwrap();
        check_client(&mut errors, &tenant, &client_id("web"), &settings);
        let errors = errors.into_vec();
        let found: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(found, expected, "{of_tenant:?} {described}");
    }

    // [core Core §8.1 b]: Redirect URIs of several hosts need a `sector_identifier_uri`
    // [core Core §8.1, Registration §5]: The document at `sector_identifier_uri` is fetched when a client
    //   registers itself. Dynamic registration is not served: the operator declares which clients belong
    //   together, so nothing is fetched | departs
    #[test]
    fn pairwise_client_needs_exactly_one_sector() {
        use SubjectType::{Pairwise, Public};
        let web = |uris: &[&str], more: Value| {
            let mut settings = json!({ "grant_types": ["authorization_code"], "redirect_uris": uris });
            settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            settings
        };
        let api = Interface::Api;
        let (one, two) =
            (["https://a.example/", "https://a.example/b"], ["https://a.example/", "https://b.example/"]);
        let says = |name: &str| json!({ "subject_type": name });
        let sector = json!({ "subject_type": "pairwise", "sector_identifier_uri": "https://s.example" });
        check(Public, api, web(&two, json!({})), &[]);
        check(Public, api, web(&one, says("pairwise")), &[]);
        check(Public, api, web(&two, says("pairwise")), &["/subject_type"]);
        check(Public, api, web(&two, sector.clone()), &[]);
        check(Pairwise, api, web(&two, json!({})), &["/redirect_uris"]);
        check(Pairwise, api, web(&two, says("public")), &[]);
        check(Pairwise, api, web(&one, json!({})), &[]);
        check(Pairwise, api, web(&["com.example.app:/cb"], json!({})), &["/redirect_uris"]);
        check(Pairwise, Interface::Adapter, web(&two, json!({})), &[]);
        let device = json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"] });
        check(Pairwise, api, device.clone(), &[""]);
        check(Public, api, device, &[]);
        let of_sector = json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "sector_identifier_uri": "https://s.example" });
        check(Pairwise, api, of_sector, &[]);
        // No person is behind the client's tokens.
        check(Pairwise, api, json!({ "grant_types": [], "subject_type": "pairwise" }), &[]);
    }
}
