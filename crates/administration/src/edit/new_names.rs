//! Rules for new names. A client id must not look like the subject of a person. Identifiers must not contain
//! invisible characters. Names must not contain characters that change the direction of text. A client or
//! tenant must not have two spellings of one resource. Only new or changed names are checked, so earlier rows
//! keep their names.

use accounts::AccountId;
use registry::Client;
use tenancy::{ResourceServer, Tenant};
use values::{bidi_control_in_name, invisible_in_id};

use crate::edit::FieldError;
use crate::rules::{member, misread, spelled_twice};

/// The error for a name that contains the character. `what` begins the sentence, such as `the client id`.
fn unseen(pointer: impl Into<String>, what: &str, character: char) -> FieldError {
    // The notation for code points in the Unicode Standard.
    let detail = format!("{what} contains U+{:04X}, an invisible character", u32::from(character));
    FieldError::at(pointer, detail).with_hint("remove it")
}

fn of_id(pointer: impl Into<String>, what: &str, id: &str) -> Option<FieldError> {
    invisible_in_id(id).map(|character| unseen(pointer, what, character))
}

fn of_text(pointer: &str, what: &str, before: Option<&str>, text: &str) -> Option<FieldError> {
    let character = bidi_control_in_name(text).filter(|_| before != Some(text))?;
    Some(unseen(pointer, what, character))
}

/// Checks the names of a new client, or the changed names of an existing one.
pub(crate) fn of_client(tenant: &Tenant, before: Option<&Client>, after: &Client) -> Vec<FieldError> {
    let mut found = Vec::new();
    let had = |name: &String| {
        before.is_some_and(|before| {
            before.claims.0.contains_key(name) || before.copied_claims.contains_key(name)
        })
    };
    let claims = after.claims.0.keys().chain(after.copied_claims.keys());
    found.extend(of_claims("/claims", claims.filter(|name| !had(name)), tenant));
    if before.is_none() {
        found.extend(of_id("/client_id", "the client id", after.id.as_str()));
        if AccountId::is_reserved(after.id.as_str()) {
            let detail =
                "the client id begins with `usr_` or `pw_`, like the subjects of people (RFC 9700 §4.15)";
            found.push(FieldError::at("/client_id", detail).with_hint("choose another name"));
        }
    }
    // Without a name in the document the name is the id, which was checked already.
    if after.name != after.id.as_str() {
        found.extend(of_text("/name", "the name", before.map(|before| before.name.as_str()), &after.name));
    }
    if let Some(description) = &after.description {
        let before = before.and_then(|before| before.description.as_deref());
        found.extend(of_text("/description", "the description", before, description));
    }
    let had = |had: fn(&Client) -> &[String], text: &String| {
        before.is_some_and(|client| had(client).contains(text))
    };
    for (index, contact) in after.contacts.iter().enumerate() {
        if !had(|client| &client.contacts, contact) {
            found.extend(of_text(&format!("/contacts/{index}"), "the contact", None, contact));
        }
    }
    for (index, rule) in after.federated.0.iter().enumerate() {
        let is_old =
            before.is_some_and(|before| before.federated.0.iter().any(|old| old.subject == rule.subject));
        let subject = Some(rule.subject.as_str()).filter(|_| !is_old);
        let at = format!("/federated/{index}/subject");
        found.extend(subject.and_then(|subject| of_text(&at, "the subject", None, subject)));
    }
    let audiences = before.map(|before| before.audiences.as_slice()).unwrap_or_default();
    let resources = before.map(|before| before.resources.as_slice()).unwrap_or_default();
    for (list, what, had, names) in [
        ("/audiences", "the audience", audiences, &after.audiences),
        ("/resources", "the resource", resources, &after.resources),
    ] {
        let new = names.iter().enumerate().filter(|(_, name)| !had.contains(name));
        found.extend(new.filter_map(|(index, name)| of_id(format!("{list}/{index}"), what, name)));
    }
    found
}

/// Checks that a client does not get a second spelling of a resource.
pub(crate) fn spellings_of_client(before: Option<&Client>, after: &Client) -> Vec<FieldError> {
    let audiences = before.map(|before| before.audiences.as_slice()).unwrap_or_default();
    let resources = before.map(|before| before.resources.as_slice()).unwrap_or_default();
    let lists = [("/audiences", &after.audiences), ("/resources", &after.resources)];
    let names = lists.into_iter().flat_map(|(list, names)| {
        names.iter().enumerate().map(move |(index, name)| (format!("{list}/{index}"), name))
    });
    spelled_twice(names, |name| audiences.contains(name) || resources.contains(name))
}

/// Checks that a tenant does not get a second spelling of a resource.
pub(crate) fn spellings_of_tenant(before: Option<&Tenant>, after: &Tenant) -> Vec<FieldError> {
    let names = after.resource_servers.iter().map(|server| &server.audience);
    let names = names.map(|audience| (member("/resource_servers", audience), audience));
    spelled_twice(names, |audience| before.is_some_and(|before| before.resource_server(audience).is_some()))
}

/// Checks the names of claims that are new for a client or a tenant.
fn of_claims<'n>(at: &str, new: impl Iterator<Item = &'n String>, tenant: &Tenant) -> Vec<FieldError> {
    let allow = &tenant.access_token.claims_allow;
    let check = |name: &String| {
        let at = member(at, name);
        of_text(&at, "the name", None, name).or_else(|| misread(&at, name, allow))
    };
    new.filter_map(check).collect()
}

/// Checks the new or changed names of a tenant and of its resource servers.
pub(crate) fn of_tenant(before: Option<&Tenant>, after: &Tenant) -> Vec<FieldError> {
    let name = of_text("/name", "the name", before.map(|before| before.name.as_str()), &after.name);
    let had = |audience: &str| before.is_some_and(|before| before.resource_server(audience).is_some());
    let new = after.resource_servers.iter().map(|server| &server.audience).filter(|name| !had(name));
    let of_audience =
        |audience: &String| of_id(member("/resource_servers", audience), "the audience", audience);
    let said = after.resource_servers.iter().flat_map(|server| of_scopes(before, server));
    let had_claim =
        |name: &String| before.is_some_and(|before| before.access_token.claims.0.contains_key(name));
    let claims = after.access_token.claims.0.keys().filter(|name| !had_claim(name));
    let claims = of_claims("/access_token/claims", claims, after);
    claims.into_iter().chain(name).chain(new.filter_map(of_audience)).chain(said).collect()
}

/// Checks the descriptions of scopes, which people read.
fn of_scopes(before: Option<&Tenant>, after: &ResourceServer) -> Vec<FieldError> {
    let before = before.and_then(|before| before.resource_server(&after.audience));
    let at = member("/resource_servers", &after.audience) + "/scopes";
    let judged = after.scope_descriptions.iter().filter_map(|(scope, text)| {
        let before = before.and_then(|before| before.scope_descriptions.get(scope));
        of_text(&member(&at, scope), "the description", before.map(String::as_str), text)
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use registry::ClientId;
    use tenancy::TenantId;

    use super::*;
    use crate::edit::test_states::{pointers, state};

    // [third 10]
    #[test]
    fn new_names_cannot_contain_direction_overrides() {
        let plain = Client::new(TenantId::parse("acme").unwrap(), ClientId::parse("a").unwrap());
        let turning = "x\u{202e}y";
        let mut client = plain.clone();
        client.contacts = vec![turning.to_owned()];
        client.claims.0.insert(turning.to_owned(), 1.into());
        client.copied_claims.insert("z\u{2066}".to_owned(), "sub".to_owned());
        client.federated.0 = vec![registry::TrustRule::new("https://i.example", turning)];
        let expected = [
            format!("/claims/{turning}"),
            "/claims/z\u{2066}".to_owned(),
            "/contacts/0".to_owned(),
            "/federated/0/subject".to_owned(),
        ];
        let mut tenant = state("acme").tenant;
        assert_eq!(pointers(of_client(&tenant, None, &client)), expected);
        assert_eq!(pointers(of_client(&tenant, Some(&plain), &client)), expected);
        assert!(of_client(&tenant, Some(&client), &client).is_empty());
        let before = tenant.clone();
        tenant.access_token.claims.0.insert(turning.to_owned(), 1.into());
        let at = format!("/access_token/claims/{turning}");
        assert_eq!(pointers(of_tenant(Some(&before), &tenant)), [at]);
        assert!(of_tenant(Some(&tenant), &tenant).is_empty());
    }

    // For example `https://mcp.example.com` and `https://mcp.example.com/` at one client or tenant.
    #[test]
    fn new_spelling_of_a_resource_is_refused() {
        let (short, long) = ("https://mcp.example.com".to_owned(), "https://MCP.example.com:443/".to_owned());
        let plain = Client::new(TenantId::parse("acme").unwrap(), ClientId::parse("a").unwrap());
        let one = Client { audiences: vec![short.clone()], ..plain.clone() };
        let both = Client { resources: vec![long.clone()], ..one.clone() };
        let tenant = state("acme").tenant;
        assert_eq!(pointers(spellings_of_client(None, &both)), ["/resources/0"]);
        assert_eq!(pointers(spellings_of_client(Some(&one), &both)), ["/resources/0"]);
        let only = Client { audiences: Vec::new(), ..both.clone() };
        assert_eq!(pointers(spellings_of_client(Some(&only), &both)), ["/audiences/0"]);
        assert_eq!(spellings_of_client(Some(&both), &both), []);
        assert_eq!(spellings_of_client(Some(&one), &only), [], "it replaces the other spelling");
        let third = Client { resources: vec![long, "https://mcp.example.com/".to_owned()], ..one };
        assert_eq!(pointers(spellings_of_client(Some(&both), &third)), ["/resources/1"]);

        let server =
            |audience: &str| ResourceServer { audience: audience.to_owned(), ..ResourceServer::default() };
        let with = |names: &[&str]| {
            let resource_servers = names.iter().map(|name| server(name)).collect();
            Tenant { resource_servers, ..tenant.clone() }
        };
        let (one, both) = (with(&[&short]), with(&["https://mcp.example.com/", &short]));
        assert_eq!(
            pointers(spellings_of_tenant(Some(&one), &both)),
            ["/resource_servers/https:~1~1mcp.example.com~1"]
        );
        assert_eq!(spellings_of_tenant(Some(&both), &both), []);
    }

    // [access-tokens RFC 9068 §5]: The `sub` of a client is not the `sub` of a person: no client is called
    //   `usr_…` or `pw_…`
    // [attacks #26]: A client that is called like a person | No new client has an id that begins as `sub` of
    //   a person does
    // [rfc9700 §4.15]: A client impersonates a resource owner | `sub` of a client's own token is its
    //   `client_id`, and that of a person's token begins `usr_`. No new client has an id that begins so.
    //   Administration refuses tokens of people
    /// Files, API, command line and the Thunder-compatible API create clients by this rule.
    #[test]
    fn new_client_id_cannot_resemble_account_id() {
        let refused = |id: &str, before: bool| {
            let client = Client::new(TenantId::parse("acme").unwrap(), ClientId::parse(id).unwrap());
            pointers(of_client(&state("acme").tenant, before.then_some(&client), &client))
        };
        for id in ["usr_", "usr_a3x7k2m5q6t4w2z3b5c6d7e2fa", "usr_service", "pw_", "pw_a"] {
            assert_eq!(refused(id, false), ["/client_id"], "{id}");
            assert!(refused(id, true).is_empty(), "a client that exists already goes on: {id}");
        }
        for id in ["usr", "user_a", "pw", "pwa", "a_usr_", "USR"] {
            assert!(refused(id, false).is_empty(), "{id}");
        }
    }
    // [third 8]: Custom claims read as the server's without case or with invisible characters, and stood
    //   after the server's | fixed | New names are compared after case folding and without what is not seen;
    //   `scp`,
    //   `roles`, `groups`, `entitlements` need `access_token.claims_allow`. Claims of before stay, with a
    //   warning of `check`, and stand before the server's in the token. A claim of before that reads as one
    //   which the token does not have, such as `Scope` without a scope, is still read until it is changed
    #[test]
    fn new_claims_cannot_resemble_server_claims() {
        let named = |name: &str| {
            let mut client = Client::new(TenantId::parse("acme").unwrap(), ClientId::parse("svc").unwrap());
            client.claims.0.insert(name.to_owned(), "x".into());
            client
        };
        let mut tenant = state("acme").tenant;
        tenant.access_token.claims_allow = vec!["roles".to_owned()];
        for name in [
            "Scope",
            "\u{17f}cope",
            "scope ",
            "\u{200b}scope",
            "s\u{ad}cope",
            "EXP",
            "Client_Id",
            "URN:latchkey:x",
            "scp",
            "groups",
            "Roles",
            "roles\u{fe0f}",
            "\u{3164}iss",
        ] {
            let client = named(name);
            assert_eq!(pointers(of_client(&tenant, None, &client)), [member("/claims", name)], "{name:?}");
            assert_eq!(of_client(&tenant, Some(&client), &client), [], "it stays: {name:?}");
            let mut after = tenant.clone();
            after.access_token.claims.0.insert(name.to_owned(), "x".into());
            let refused = pointers(of_tenant(Some(&tenant), &after));
            assert_eq!(refused, [member("/access_token/claims", name)], "{name:?}");
            assert_eq!(of_tenant(Some(&after), &after), [], "{name:?}");
        }
        for name in ["roles", "plan", "scopes", "subject"] {
            assert_eq!(of_client(&tenant, None, &named(name)), [], "{name}");
        }
        let mut copying = named("plan");
        copying.copied_claims.insert("Sub".to_owned(), "sub".to_owned());
        assert_eq!(pointers(of_client(&tenant, None, &copying)), ["/claims/Sub"]);
    }
}
