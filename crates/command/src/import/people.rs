//! Translates a user of a realm into a line of an import of accounts.

use std::collections::BTreeMap;

use accounts::{EmailAddress, Username};
use administration::documents::Wiped;
use serde_json::json;
use zeroize::Zeroizing;

use super::left_out::{EntryCount, Omissions};
use super::password_hash::hash;
use super::realm::{Person, RealmCredential};

const USERNAMES: &str = "user names that do not consist of 1 to 63 of the characters a-z, 0-9, ., _ and -: these people sign in with their email address";
const NEW_PASSWORD: &str =
    "passwords that Latchkey cannot verify: the person needs a new password (`latchkey account password`)";

pub(super) struct People {
    /// A line of JSON for each.
    pub(super) lines: Zeroizing<Vec<u8>>,
    /// The names of the people, in the order of the lines.
    pub(super) names: Vec<String>,
    /// How many have a password hash.
    pub(super) with_hash: usize,
}

impl People {
    pub(super) fn new(users: &[Person], left_out: &mut Omissions) -> Self {
        // Allocates the whole buffer first: a buffer that grows leaves copies of hashes in memory.
        let room: usize = users.iter().map(room).sum();
        let mut people =
            Self { lines: Zeroizing::new(Vec::with_capacity(room)), names: Vec::new(), with_hash: 0 };
        let mut held: BTreeMap<&str, usize> = BTreeMap::new();
        for user in users {
            let holding = user.others.iter().filter(|(member, EntryCount(size))| {
                *size > 0
                    && !["access", "createdTimestamp", "disableableCredentialTypes", "notBefore", "totp"]
                        .contains(&member.as_str())
            });
            for (member, _) in holding {
                *held.entry(member).or_default() += 1;
            }
            people.add(user, left_out);
        }
        for (member, count) in held {
            left_out.add(
                "attributes of people other than names, addresses and passwords",
                format!("{member} of {count}"),
            );
        }
        people
    }

    fn add(&mut self, user: &Person, left_out: &mut Omissions) {
        let named = user.username.as_deref().or(user.email.as_deref()).unwrap_or("a user without a name");
        let (email, username) = identifiers(user);
        let why = if user.service_account_client_id.is_some() {
            Some("service accounts with roles: clients have scopes instead")
        } else if user.enabled == Some(false) {
            Some("disabled users")
        } else if email.is_none() && username.is_none() {
            Some("users with neither an email address nor a valid user name")
        } else {
            None
        };
        if let Some(why) = why {
            return left_out.add(why, named);
        }
        let (address, name) =
            (user.email.as_deref().unwrap_or_default(), user.username.as_deref().unwrap_or_default());
        let is_email = |text: &str| email.is_some_and(|email| email.eq_ignore_ascii_case(text));
        if !name.is_empty() && username.is_none() && !is_email(name) {
            left_out.add(USERNAMES, named);
        }
        if !address.is_empty() && !is_email(address) {
            left_out.add("invalid email addresses", named);
        }
        let hash = self.hash_of(user, named, left_out);
        self.with_hash += usize::from(hash.is_some());
        let given = [user.first_name.as_deref(), user.last_name.as_deref()];
        let [given_name, family_name] = given.map(|name| name.map(str::trim).filter(|name| !name.is_empty()));
        let whole: Vec<&str> = given_name.into_iter().chain(family_name).collect();
        let mut claims = serde_json::Map::new();
        let whole = Some(whole.join(" ")).filter(|whole| !whole.is_empty());
        for (claim, text) in
            [("name", whole.as_deref()), ("given_name", given_name), ("family_name", family_name)]
        {
            claims.extend(text.map(|text| (claim.to_owned(), json!(text))));
        }
        let line = Wiped::new(json!({
            "email": email, "email_verified": user.email_verified && is_email(address), "username": username,
            "external_id": user.id, "claims": claims, "password_hash": hash.as_ref().map(|hash| hash.as_str()),
        }));
        serde_json::to_writer(&mut *self.lines, &*line).expect("documents are plain JSON");
        self.lines.push(b'\n');
        self.names.push(named.to_owned());
    }

    /// The password hash for the import of accounts. All other credentials are listed as left out.
    fn hash_of(&self, user: &Person, named: &str, left_out: &mut Omissions) -> Option<Zeroizing<String>> {
        let is_password =
            |credential: &&RealmCredential| credential.kind.as_deref().is_none_or(|kind| kind == "password");
        for other in user.credentials.iter().filter(|credential| !is_password(credential)) {
            let kind = other.kind.as_deref().unwrap_or_default();
            left_out.add(
                "credentials other than passwords: second factors are not supported yet",
                format!("{named} ({kind})"),
            );
        }
        let credential = user.credentials.iter().find(is_password)?;
        let found = hash(credential);
        if let Err(why) = &found {
            left_out.add(NEW_PASSWORD, format!("{named} ({why})"));
        }
        found.ok()
    }
}

/// The user name and the email address. A user name of Keycloak may be an email address.
fn identifiers(user: &Person) -> (Option<&str>, Option<&str>) {
    let username = user.username.as_deref().filter(|name| Username::parse(name).is_ok());
    let addresses = [user.email.as_deref(), user.username.as_deref()];
    let email = addresses.into_iter().flatten().find(|text| EmailAddress::parse(text).is_ok());
    (email, username)
}

fn room(user: &Person) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, |text| text.len() * 6);
    let texts = [&user.id, &user.username, &user.email, &user.first_name, &user.last_name];
    1024 + texts.into_iter().map(length).sum::<usize>() + length(&user.first_name) + length(&user.last_name)
}
