//! Translates the client scopes of a realm. Scopes of OpenID Connect keep their names; every other client
//! scope becomes a scope of a resource server.

use std::collections::{BTreeMap, BTreeSet};

use administration::rules::limits::LIST_ENTRIES;
use administration::rules::{FieldErrors, LONGEST_ID};
use protocol::{CanonicalResource, ScopeToken};
use serde_json::{Value, json};

use super::left_out::Omissions;
use super::realm::{Realm, RealmScope, attribute, readable};

pub(super) const MAPPERS: &str = "protocol mappers: the scopes of OpenID Connect determine the claims";

/// The client scopes that Keycloak itself creates. They define the usual claims of its tokens.
const BUILT_IN: [&str; 9] = [
    "acr",
    "basic",
    "microprofile-jwt",
    "organization",
    "role_list",
    "roles",
    "saml_organization",
    "service_account",
    "web-origins",
];
/// The default client scopes if neither the client nor the realm lists any.
const DEFAULTS: [&str; 5] = ["profile", "email", "address", "phone", "offline_access"];
/// The most characters of a scope's description.
const DESCRIPTION: usize = 200;

/// The client scopes of a realm, and their translation for those that clients use.
pub(super) struct Scopes<'r> {
    known: BTreeMap<&'r str, &'r RealmScope>,
    clients: BTreeSet<&'r str>,
    defaults: Vec<&'r str>,
    /// The audience for scopes without an audience in the realm.
    audience: String,
    /// The scopes of each audience, with their descriptions.
    pub(super) servers: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Default)]
pub(super) struct GrantedScopes {
    /// The scopes of OpenID Connect.
    pub(super) standard: Vec<String>,
    pub(super) api: Vec<String>,
    pub(super) audiences: BTreeSet<String>,
}

impl<'r> Scopes<'r> {
    pub(super) fn new(realm: &'r Realm, audience: String) -> Self {
        let named = [&realm.default_default_client_scopes, &realm.default_optional_client_scopes];
        let defaults: Vec<&str> = named.into_iter().flatten().flatten().map(String::as_str).collect();
        let is_given = named.iter().any(|list| list.is_some());
        Self {
            known: realm.client_scopes.iter().map(|scope| (scope.name.as_str(), scope)).collect(),
            clients: realm
                .clients
                .iter()
                .filter(|client| !client.bearer_only)
                .map(|client| client.client_id.as_str())
                .collect(),
            defaults: if is_given { defaults } else { DEFAULTS.to_vec() },
            audience,
            servers: BTreeMap::new(),
        }
    }

    /// Adds a resource server, at first without scopes.
    pub(super) fn add_server(&mut self, audience: &str, left_out: &mut Omissions) {
        if let Some(audience) = self.audience(audience, "a bearer-only client:", left_out) {
            self.servers.entry(audience).or_default();
        }
    }

    /// The scopes of a client that lists these client scopes, or lists none.
    pub(super) fn grant(&mut self, names: Option<Vec<&str>>, left_out: &mut Omissions) -> GrantedScopes {
        let mut granted = GrantedScopes::default();
        let names: BTreeSet<String> =
            names.unwrap_or_else(|| self.defaults.clone()).into_iter().map(str::to_owned).collect();
        for name in names {
            if ScopeToken::OF_PEOPLE.contains(&name.as_str()) {
                granted.standard.push(name);
            } else if self.is_scope(&name) {
                let (audience, description) = self.described(&name, left_out);
                let is_full = self.servers.get(&audience).is_some_and(|scopes| scopes.len() >= LIST_ENTRIES);
                if is_full && !self.servers[&audience].contains_key(&name) {
                    left_out.add("scopes above the limit of 100 per audience", name);
                    continue;
                }
                self.servers.entry(audience.clone()).or_default().insert(name.clone(), description);
                granted.audiences.insert(audience);
                granted.api.push(name);
            }
        }
        granted
    }

    /// An audience that tokens get in addition to the audiences of their scopes. The id of a client cannot be
    /// an audience.
    pub(super) fn audience(&self, named: &str, owner: &str, left_out: &mut Omissions) -> Option<String> {
        let mut errors = FieldErrors::default();
        errors.check_name("", "the audience", named, LONGEST_ID);
        if !errors.into_parts().0.is_empty() {
            let shown: String = named.chars().take(40).collect();
            left_out.add("audiences that are not valid names", format!("{owner} {shown}"));
            return None;
        }
        if self.clients.contains(named) {
            let why = "an audience cannot be a client ID; choose a name for the API with --audience";
            left_out.add(why, format!("{owner} {named}"));
            return None;
        }
        // A tenant accepts only one spelling of a resource.
        let resource = CanonicalResource::new(named);
        let known = self.servers.keys().find(|known| CanonicalResource::new(known) == resource);
        Some(known.cloned().unwrap_or_else(|| named.to_owned()))
    }

    /// Lists client scopes that no imported client uses, and those that cannot be scopes here.
    pub(super) fn name_left_out(&self, left_out: &mut Omissions) {
        for (name, scope) in &self.known {
            let is_used = self.servers.values().any(|scopes| scopes.contains_key(*name));
            if BUILT_IN.contains(name) {
                left_out.add("Keycloak's own client scopes", *name);
            } else if !ScopeToken::OF_PEOPLE.contains(name) && !self.is_scope(name) {
                left_out.add("client scopes whose name is not a valid OAuth scope", *name);
            } else if !ScopeToken::OF_PEOPLE.contains(name) && !is_used {
                left_out.add("client scopes that no imported client uses", *name);
            }
            let mappers = scope.protocol_mappers.iter().filter(|mapper| mapper.audience().is_none()).count();
            if mappers > 0 {
                left_out.add(MAPPERS, format!("{name} ({mappers})"));
            }
        }
    }

    /// The resource servers as the tenant's document lists them.
    pub(super) fn document(&self) -> Value {
        let servers = self.servers.iter().map(|(audience, scopes)| {
            let is_described = scopes.values().any(|text| !text.is_empty());
            let names: Vec<&String> = scopes.keys().collect();
            (audience.clone(), json!({ "scopes": if is_described { json!(scopes) } else { json!(names) } }))
        });
        Value::Object(servers.collect())
    }

    fn is_scope(&self, name: &str) -> bool {
        let is_carrier = self.known.get(name).is_some_and(|scope| {
            scope.protocol.as_deref() == Some("saml")
                || attribute(&scope.attributes, "include.in.token.scope") == Some("false")
        });
        let is_token = ScopeToken::parse(name).is_ok_and(|token| !token.is_reserved());
        is_token && !is_carrier && !BUILT_IN.contains(&name)
    }

    fn described(&self, name: &str, left_out: &mut Omissions) -> (String, String) {
        let scope = self.known.get(name);
        let named =
            scope.and_then(|scope| scope.protocol_mappers.iter().find_map(|mapper| mapper.audience()));
        let audience = named.and_then(|named| self.audience(named, name, left_out));
        let given = scope.and_then(|scope| scope.description.as_deref()).unwrap_or_default();
        let description = readable(Some(given), DESCRIPTION).unwrap_or_default();
        if description != given {
            left_out.add("descriptions of scopes with more than 200 characters or more than one line", name);
        }
        (audience.unwrap_or_else(|| self.audience.clone()), description.to_owned())
    }
}
