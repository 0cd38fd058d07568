//! The part of a form that chooses APIs and scopes: the scopes of each API in one group.

use administration::documents::ClientSettings;
use pages::NewApplicationTexts;
use pages::console::{Choice, Field, Input};
use protocol::ScopeToken;
use serde_json::{Value, json};
use tenancy::Tenant;

use super::form::FormFields;
use super::shown::RefusedForm;

/// An API, or `SCOPE\tAPI`. Neither contains control characters.
const ACCESS: &str = "access";
/// Scopes of OpenID Connect.
const IDENTITY: &str = "identity";
const OTHER_APIS: &str = "other_apis";
const OTHER_SCOPES: &str = "other_scopes";

/// `identity` are the scopes of OpenID Connect to offer.
pub(super) fn fields(
    texts: &NewApplicationTexts,
    tenant: &Tenant,
    identity: &[&str],
    sent: &FormFields,
    refused: &RefusedForm,
) -> Vec<Field> {
    let choice = |name: &str, value: &str, label: &str, text: &str| {
        Choice::new(value, label, text, sent.values(name).any(|sent| sent == value))
    };
    let mut fields = Vec::new();
    if !identity.is_empty() {
        let choices = identity
            .iter()
            .map(|scope| choice(IDENTITY, scope, scope, (texts.identity_scope)(scope).unwrap_or_default()));
        fields.push(Field::new(IDENTITY, texts.identity, Input::Any(choices.collect())));
    }
    for server in &tenant.resource_servers {
        let api = &server.audience;
        let whole = choice(ACCESS, api, texts.whole_api, texts.whole_api_text);
        let scopes = server.scopes.iter().map(|scope| {
            let (name, text) = (scope.as_str(), server.scope_descriptions.get(scope.as_str()));
            choice(ACCESS, &format!("{name}\t{api}"), name, text.map_or("", String::as_str))
        });
        let label = (texts.access)(api);
        fields.push(Field::new(ACCESS, &label, Input::Any([whole].into_iter().chain(scopes).collect())));
    }
    let has_servers = !tenant.resource_servers.is_empty();
    for (name, label, hint) in [
        (OTHER_APIS, texts.other_apis, texts.other_apis_hint),
        (OTHER_SCOPES, texts.other_scopes, texts.other_scopes_hint),
    ] {
        if !has_servers || sent.given(name).is_some() {
            let input = Input::Lines(sent.text(name).to_owned());
            fields.push(Field::new(name, label, input).hint(hint));
        }
    }
    // Of the fields with scopes, the last one shows the error.
    if let Some(last) = fields.pop() {
        fields.push(refused.at("/audiences", refused.at("/scopes", last)));
    }
    fields
}

/// Adds the chosen APIs and scopes to the document of a client.
pub(super) fn read(sent: &FormFields, document: &mut Value) {
    let (mut apis, mut scopes) = (sent.lines(OTHER_APIS), Vec::new());
    scopes.extend(sent.values(IDENTITY).map(str::to_owned));
    for access in sent.values(ACCESS) {
        let (scope, api) = access.split_once('\t').map_or((None, access), |(scope, api)| (Some(scope), api));
        apis.push(api.to_owned());
        scopes.extend(scope.map(str::to_owned));
    }
    scopes.extend(sent.words(OTHER_SCOPES));
    for (name, values) in [("audiences", apis), ("scopes", scopes)] {
        let mut distinct: Vec<String> = Vec::new();
        values.into_iter().for_each(|value| {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        });
        document[name] = json!(distinct);
    }
}

/// The fields of a form that grants what these settings grant.
pub(super) fn filled(
    tenant: &Tenant,
    identity: &[&str],
    settings: &ClientSettings,
) -> Vec<(&'static str, String)> {
    let server_of = |api: &str| tenant.resource_servers.iter().find(|server| server.audience == api);
    let (mut fields, mut other_apis, mut other_scopes) = (Vec::new(), Vec::new(), settings.scopes.clone());
    for api in &settings.audiences {
        let Some(server) = server_of(api) else {
            other_apis.push(api.as_str());
            continue;
        };
        fields.push((ACCESS, api.clone()));
        let scopes = server.scopes.iter().map(ScopeToken::as_str);
        for scope in scopes.filter(|scope| settings.scopes.iter().any(|held| held == scope)) {
            fields.push((ACCESS, format!("{scope}\t{api}")));
            other_scopes.retain(|other| other != scope);
        }
    }
    let (of_identity, other_scopes): (Vec<_>, Vec<_>) =
        other_scopes.into_iter().partition(|scope| identity.contains(&scope.as_str()));
    fields.extend(of_identity.into_iter().map(|scope| (IDENTITY, scope)));
    fields.extend([(OTHER_APIS, other_apis.join("\n")), (OTHER_SCOPES, other_scopes.join("\n"))]);
    fields
}
