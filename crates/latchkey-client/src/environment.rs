//! Configures a source from environment variables.

use crate::builder::Builder;
use crate::config_error::ConfigError;
use crate::secret::Secret;
use crate::source::TokenSource;

impl TokenSource {
    /// A source that the environment configures: `LATCHKEY_ISSUER` or `LATCHKEY_TOKEN_ENDPOINT`,
    /// `LATCHKEY_CLIENT_ID`, `LATCHKEY_CLIENT_SECRET` or `LATCHKEY_CLIENT_SECRET_FILE`, and optionally
    /// `LATCHKEY_SCOPE` and `LATCHKEY_RESOURCE`, whose values are separated by blanks.
    pub fn from_env() -> Result<Self, ConfigError> {
        builder(variable)?.build()
    }
}

#[expect(clippy::disallowed_methods, reason = "a caller of `from_env` asks for these variables")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads the variables by `read`. An empty one counts as unset.
fn builder(read: impl Fn(&str) -> Option<String>) -> Result<Builder, ConfigError> {
    let given = |name: &str| read(name).filter(|value| !value.is_empty());
    let mut builder = Builder::default();
    let (issuer, endpoint) = ("LATCHKEY_ISSUER", "LATCHKEY_TOKEN_ENDPOINT");
    builder = match (given(issuer), given(endpoint)) {
        (Some(url), None) => builder.issuer(url),
        (None, Some(url)) => builder.token_endpoint(url),
        (Some(_), Some(_)) => return Err(ConfigError::Both(issuer.to_owned(), endpoint.to_owned())),
        (None, None) => return Err(ConfigError::missing(issuer, "set it, or LATCHKEY_TOKEN_ENDPOINT")),
    };
    let client = "LATCHKEY_CLIENT_ID";
    builder = builder.client_id(given(client).ok_or_else(|| ConfigError::missing(client, "set it"))?);
    let (secret, file) = ("LATCHKEY_CLIENT_SECRET", "LATCHKEY_CLIENT_SECRET_FILE");
    builder = builder.credential(match (given(secret), given(file)) {
        (Some(value), None) => Secret::value(value),
        (None, Some(path)) => Secret::file(path),
        (Some(_), Some(_)) => return Err(ConfigError::Both(secret.to_owned(), file.to_owned())),
        (None, None) => return Err(ConfigError::missing(file, "set it, or LATCHKEY_CLIENT_SECRET")),
    });
    builder = builder.scope(given("LATCHKEY_SCOPE").unwrap_or_default());
    for resource in given("LATCHKEY_RESOURCE").unwrap_or_default().split_ascii_whitespace() {
        builder = builder.resource(resource);
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(variables: &[(&str, &str)]) -> Result<String, String> {
        let read =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let source = builder(read).and_then(Builder::build);
        source.map(|source| format!("{source:?}")).map_err(|error| error.to_string())
    }

    #[test]
    fn environment_variables_configure_a_source() {
        let whole = [
            ("LATCHKEY_ISSUER", "https://id.example.com"),
            ("LATCHKEY_CLIENT_ID", "billing"),
            ("LATCHKEY_CLIENT_SECRET", "hunter2"),
            ("LATCHKEY_SCOPE", "a b"),
            ("LATCHKEY_RESOURCE", "https://x.example https://y.example"),
        ];
        let shown = built(&whole).unwrap();
        assert!(shown.contains(r#"client_id: "billing""#) && shown.contains("https://y.example"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        let both = [&whole[..], &[("LATCHKEY_CLIENT_SECRET_FILE", "/x")]].concat();
        let exclude =
            "LATCHKEY_CLIENT_SECRET and LATCHKEY_CLIENT_SECRET_FILE exclude each other: leave one out";
        for (variables, expected) in [
            (&whole[1..], "LATCHKEY_ISSUER is missing: set it, or LATCHKEY_TOKEN_ENDPOINT"),
            (&whole[..1], "LATCHKEY_CLIENT_ID is missing: set it"),
            (&whole[..2], "LATCHKEY_CLIENT_SECRET_FILE is missing: set it, or LATCHKEY_CLIENT_SECRET"),
            (&both, exclude),
        ] {
            assert_eq!(built(variables).unwrap_err(), expected);
        }
    }
}
