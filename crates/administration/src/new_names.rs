//! Names that come to be: no identifier holds a character that people do not see, and no name one that turns its direction. Names that
//! rows have already go on, whatever they hold, so each is asked after only where it is new.

use registry::{Client, bidi_control_in_name, invisible_in_id};
use tenancy::Tenant;

use crate::documents::escaped;

/// A new name with such a character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnseenName {
    /// Its location in a request.
    pub(crate) pointer: String,
    /// What it is, as `the client id`.
    pub(crate) what: &'static str,
    pub(crate) character: char,
}

impl UnseenName {
    /// The fault of it.
    pub(crate) fn detail(&self) -> String {
        format!("{} holds {}, which is not seen; leave it out", self.what, code_point(self.character))
    }

    fn of_id(pointer: impl Into<String>, what: &'static str, id: &str) -> Option<Self> {
        invisible_in_id(id).map(|character| Self { pointer: pointer.into(), what, character })
    }

    fn of_title(before: Option<&str>, name: &str) -> Option<Self> {
        Self::of_text("/name", "the name", before, name)
    }

    fn of_text(pointer: &str, what: &'static str, before: Option<&str>, text: &str) -> Option<Self> {
        let character = bidi_control_in_name(text).filter(|_| before != Some(text))?;
        Some(Self { pointer: pointer.to_owned(), what, character })
    }
}

/// As the Unicode Standard writes it.
pub(crate) fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Of a client that comes to be or changes.
pub(crate) fn of_client(before: Option<&Client>, after: &Client) -> Vec<UnseenName> {
    let mut found = Vec::new();
    if before.is_none() {
        found.extend(UnseenName::of_id("/client_id", "the client id", after.id.as_str()));
    }
    // Where it is left out the name is the id, which has been judged.
    if after.name != after.id.as_str() {
        found.extend(UnseenName::of_title(before.map(|before| before.name.as_str()), &after.name));
    }
    if let Some(description) = &after.description {
        let before = before.and_then(|before| before.description.as_deref());
        found.extend(UnseenName::of_text("/description", "the description", before, description));
    }
    let audiences = before.map(|before| before.audiences.as_slice()).unwrap_or_default();
    let resources = before.map(|before| before.resources.as_slice()).unwrap_or_default();
    for (list, what, had, names) in [
        ("/audiences", "the audience", audiences, &after.audiences),
        ("/resources", "the resource", resources, &after.resources),
    ] {
        let new = names.iter().enumerate().filter(|(_, name)| !had.contains(name));
        found
            .extend(new.filter_map(|(index, name)| UnseenName::of_id(format!("{list}/{index}"), what, name)));
    }
    found
}

/// Of a tenant that comes to be or changes, and of its resource servers.
pub(crate) fn of_tenant(before: Option<&Tenant>, after: &Tenant) -> Vec<UnseenName> {
    let mut found =
        Vec::from_iter(UnseenName::of_title(before.map(|before| before.name.as_str()), &after.name));
    let had = |audience: &str| before.is_some_and(|before| before.resource_server(audience).is_some());
    let new = after.resource_servers.iter().map(|server| &server.audience).filter(|name| !had(name));
    found.extend(new.filter_map(|audience| {
        UnseenName::of_id(format!("/resource_servers/{}", escaped(audience)), "the audience", audience)
    }));
    found
}
