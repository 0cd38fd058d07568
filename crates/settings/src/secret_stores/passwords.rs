//! The passwords of PostgreSQL and Redis that are in secret stores.

use administration::documents::FileSecret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    findings::Location,
    reading::Reading,
    resolved::{PostgresUrls, StorageLocation},
    sections::Cache,
    store_reference::StoreReference,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passwords {
    pub storage: Option<FileSecret>,
    pub redis: Option<FileSecret>,
}

impl Reading<'_> {
    pub(crate) fn with_storage_password(
        &mut self,
        location: Option<StorageLocation>,
        reference: Option<&StoreReference>,
    ) -> (Option<StorageLocation>, Option<FileSecret>) {
        let Some(reference) = reference else { return (location, None) };
        let at = Location::section("storage").key("password");
        match location {
            Some(StorageLocation::Postgres(PostgresUrls { url, direct_url, pooler })) => {
                let Some(password) = self.stored_of_server(reference, &at) else { return (None, None) };
                let url = self.with_password(&url, &password, at.clone(), "url");
                let direct_url =
                    direct_url.and_then(|direct| self.with_password(&direct, &password, at, "direct_url"));
                let urls = url.map(|url| PostgresUrls { url, direct_url, pooler });
                (urls.map(StorageLocation::Postgres), Some(password))
            }
            Some(StorageLocation::Sqlite(_)) => {
                self.findings.error(at, "a SQLite file has no password", "remove it");
                (None, None)
            }
            None => (None, None),
        }
    }

    /// The URL of Redis with its password. Without the password, the server runs without Redis until the
    /// password can be read.
    pub(crate) fn with_redis_password(&mut self, cache: &Cache) -> (Option<FileSecret>, Option<FileSecret>) {
        let Cache { redis_url, redis_password: Some(reference), .. } = cache else {
            return (cache.redis_url.clone(), None);
        };
        let at = Location::section("cache").key("redis_password");
        let Some(url) = redis_url else {
            self.findings.error(
                at,
                "this password belongs to `redis_url`, which is not set",
                "set both, or remove the password",
            );
            return (None, None);
        };
        match self.stored_value(reference, &at) {
            Some(Ok((password, _))) => {
                let password = FileSecret::new(password.expose().to_owned());
                (self.with_password(url, &password, at, "redis_url"), Some(password))
            }
            Some(Err(why)) => {
                self.findings.warning(at, why, "Latchkey does not use Redis until you fix the problem above");
                (Some(url.clone()), None)
            }
            None => (None, None),
        }
    }

    fn with_password(
        &mut self,
        url: &FileSecret,
        password: &FileSecret,
        at: Location,
        key: &str,
    ) -> Option<FileSecret> {
        let with = with_password(url.expose(), password.expose());
        if with.is_none() {
            let hint = format!("remove the password from `{key}`");
            self.findings.error(at, format!("`{key}` also contains a password"), hint);
        }
        with
    }
}

/// `None` if the URL contains a password already.
fn with_password(url: &str, password: &str) -> Option<FileSecret> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let password = utf8_percent_encode(password, NON_ALPHANUMERIC);
    (!user.contains(':')).then(|| FileSecret::new(format!("{scheme}://{user}:{password}@{hosts}{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_is_added_to_url_without_password() {
        for (url, expected) in [
            ("postgres://lk@db:5432/rows?ssl=no", Some("postgres://lk:p%40%2F%3A@db:5432/rows?ssl=no")),
            ("postgres://db", Some("postgres://:p%40%2F%3A@db")),
            ("redis+sentinel://user@a:1,b:2/main/3", Some("redis+sentinel://user:p%40%2F%3A@a:1,b:2/main/3")),
            ("postgres://user:other@db/rows", None),
            ("redis://:other@cache", None),
        ] {
            assert_eq!(with_password(url, "p@/:").as_ref().map(FileSecret::expose), expected, "{url}");
        }
    }
}
