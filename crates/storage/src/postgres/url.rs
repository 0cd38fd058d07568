//! The URL of a database of PostgreSQL, which holds its password.

use sqlx::postgres::PgConnectOptions;

use crate::open_error::OpenError;

/// Checks whether the text is a URL of PostgreSQL, without connecting.
///
/// # Errors
/// [`OpenError::Url`].
pub fn check_url(url: &str) -> Result<(), OpenError> {
    parse(url).map(drop)
}

pub(crate) fn parse(url: &str) -> Result<PgConnectOptions, OpenError> {
    let options: PgConnectOptions = url.parse().map_err(|_| OpenError::Url)?;
    // A pooler refuses `extra_float_digits`, and no column is a float.
    Ok(options.application_name("latchkey").extra_float_digits(None))
}

/// The name of a database for operators.
pub(crate) fn place(server: &PgConnectOptions) -> String {
    let name = server.get_database().unwrap_or_else(|| server.get_username());
    format!("{}:{}/{name}", server.get_host(), server.get_port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_holds_the_password() {
        let server: PgConnectOptions = "postgres://latchkey:canary@db.example.com:5433/rows".parse().unwrap();
        assert_eq!(place(&server), "db.example.com:5433/rows");
        assert!(!OpenError::Url.to_string().contains("canary"));
    }
}
