//! Parses the URL of a PostgreSQL database. sqlx ignores unknown parameters, so the URL is parsed here, and
//! sqlx gets only parameters that it understands. The URL contains the password, so messages never contain a
//! value. They contain the name of an unknown parameter only if the name cannot be part of the password.

use std::net::IpAddr;
use std::path::Path;

use administration::documents::nearest;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::open_error::OpenError;
use crate::postgres::hosts::Servers;

/// The known parameters, each with its libpq name. Other libraries use different names for some of them.
const KNOWN: [(&str, &str); 19] = [
    ("sslmode", "sslmode"),
    ("ssl-mode", "sslmode"),
    ("sslrootcert", "sslrootcert"),
    ("ssl-root-cert", "sslrootcert"),
    ("ssl-ca", "sslrootcert"),
    ("sslcert", "sslcert"),
    ("ssl-cert", "sslcert"),
    ("sslkey", "sslkey"),
    ("ssl-key", "sslkey"),
    ("statement-cache-capacity", "statement-cache-capacity"),
    ("host", "host"),
    ("hostaddr", "hostaddr"),
    ("port", "port"),
    ("dbname", "dbname"),
    ("user", "user"),
    ("password", "password"),
    ("application_name", "application_name"),
    ("options", "options"),
    (ATTRIBUTES, ATTRIBUTES),
];

const ATTRIBUTES: &str = "target_session_attrs";
const SSL_MODES: &str = "disable, allow, prefer, require, verify-ca, verify-full";

const ENCODE: &str = "write postgres://user:password@host:port/database; in a password write %40 for @, %3A for :, \
                      %2F for /, %3F for ?, %23 for # and %25 for %";

/// Why a URL is refused. Does not contain values of the URL.
#[derive(Clone, Debug, PartialEq, Eq, derive_more::Display)]
#[display("{problem}; {hint}")]
pub struct UrlFault {
    pub problem: String,
    /// How to correct the URL.
    pub hint: String,
}

/// Checks without connecting whether the text is a URL of PostgreSQL that Latchkey understands.
///
/// # Errors
/// The first fault.
pub fn check_url(url: &str) -> Result<(), UrlFault> {
    read(url).map(drop)
}

pub(crate) fn parse(url: &str) -> Result<Servers, OpenError> {
    read(url).map_err(|fault| OpenError::Url(Box::new(fault)))
}

fn fault(problem: impl Into<String>, hint: impl Into<String>) -> UrlFault {
    UrlFault { problem: problem.into(), hint: hint.into() }
}

/// The hosts and ports, both in the order of the URL. For a socket, the host is its folder.
#[derive(Default)]
struct Places {
    names: Vec<String>,
    ports: Vec<Option<u16>>,
}

fn read(url: &str) -> Result<Servers, UrlFault> {
    let not_one = || fault("this is not a PostgreSQL URL", ENCODE);
    let (scheme, rest) = url.split_once("://").ok_or_else(not_one)?;
    if !matches!(scheme, "postgres" | "postgresql") || rest.chars().any(char::is_control) {
        return Err(not_one());
    }
    if rest.contains('#') {
        return Err(fault("a PostgreSQL URL cannot contain a `#`, which ends the URL", ENCODE));
    }
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let mut places = places(hosts)?;
    if path.contains('@') {
        return Err(fault("the database name contains an `@`, which belongs before the host", ENCODE));
    }
    let database = decoded(path.trim_start_matches('/'), "the name of the database")?;
    let (user, password) = login.split_once(':').map_or((login, None), |(user, it)| (user, Some(it)));

    let mut given = Vec::new();
    for (name, value) in [("user", Some(user)), ("password", password)] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            given.push((name.to_owned(), decoded(value, name)?));
        }
    }
    let mut seen = Vec::new();
    let (mut addresses, mut attributes) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let spoken = known(&decoded(name, "a parameter")?, tail)?;
        let value = decoded(&value.replace('+', " "), &spoken)?;
        if !spoken.starts_with("options") && seen.contains(&spoken) {
            let problem = format!("the parameter `{spoken}` appears twice");
            return Err(fault(problem, "remove one of the two"));
        }
        check_value(&spoken, &value)?;
        match spoken.as_str() {
            "host" => places.names = value.split(',').map(str::to_owned).collect(),
            "hostaddr" => addresses = Some(value.split(',').map(str::to_owned).collect::<Vec<_>>()),
            "port" => places.ports = value.split(',').map(port).collect::<Result<_, _>>()?,
            ATTRIBUTES => attributes = Some(value),
            name => {
                given.retain(|(other, _)| other != name || name.starts_with("options"));
                given.push((name.to_owned(), value));
            }
        }
        seen.push(spoken);
    }
    if let Some(addresses) = addresses {
        if !places.names.is_empty() {
            let problem = "`hostaddr` overrides the host, so nothing would check that host's certificate";
            return Err(fault(problem, "remove `hostaddr`, or use the address instead of the host"));
        }
        places.names = addresses;
    }
    let hosts = places.hosts()?;
    let several = hosts.len() > 1;
    let candidates = if hosts.is_empty() {
        vec![options(&database, given)?]
    } else {
        let at = |host: Vec<_>| options(&database, given.iter().cloned().chain(host).collect());
        hosts.into_iter().map(at).collect::<Result<_, _>>()?
    };
    // With several hosts, Latchkey needs the host that accepts writes, unless the URL says `any`.
    let needs_writes = attributes.map_or(several, |wanted| wanted != "any");
    Ok(Servers::new(candidates, needs_writes))
}

/// Lets sqlx parse the parameters. All of them are known to sqlx, so it ignores none.
fn options(database: &str, given: Vec<(String, String)>) -> Result<PgConnectOptions, UrlFault> {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query: Vec<_> =
        given.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let url = format!("postgres:///{}?{}", encoded(database), query.join("&"));
    let options =
        url.parse::<PgConnectOptions>().map_err(|_| fault("this is not a PostgreSQL URL", ENCODE))?;
    let has = |name: &str| given.iter().any(|(given, _)| given == name);
    let options = match options.get_ssl_mode() {
        PgSslMode::VerifyCa | PgSslMode::VerifyFull => options,
        _ if !has("sslrootcert") => options,
        // With `sslrootcert`, libpq verifies the certificate even for `sslmode=require`. sqlx does not, so
        // this raises the mode to `verify-ca`.
        PgSslMode::Require => options.ssl_mode(PgSslMode::VerifyCa),
        _ => {
            let problem = "`sslrootcert` is set, but `sslmode` allows a connection without TLS";
            return Err(fault(problem, "also set `sslmode=verify-full`"));
        }
    };
    // A pooler refuses `extra_float_digits`. Latchkey does not need the setting, because no column is a
    // float.
    let options = options.extra_float_digits(None);
    Ok(if has("application_name") { options } else { options.application_name("latchkey") })
}

/// The libpq name of a parameter.
fn known(name: &str, tail: &str) -> Result<String, UrlFault> {
    if let Some((_, usual)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return Ok((*usual).to_owned());
    }
    let is_variable =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
    if name.strip_prefix("options[").and_then(|name| name.strip_suffix(']')).filter(is_variable).is_some() {
        return Ok(name.to_owned());
    }
    let is_name = name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if tail.contains('@') || !is_name {
        return Err(fault("the parameter after the `?` is unknown; it may be part of the password", ENCODE));
    }
    let hint = match name.to_ascii_lowercase().as_str() {
        "ssl" | "tls" | "sslaccept" | "encrypt" | "requiressl" => "use `sslmode=verify-full`".to_owned(),
        "schema" | "currentschema" | "search_path" => {
            "remove it: Latchkey needs its own database and uses the schema `public`".to_owned()
        }
        "pgbouncer" | "prepared_statements" | "statement_cache_size" | "preparethreshold" => {
            "remove it, and connect to the server directly instead of through a pooler".to_owned()
        }
        "channel_binding" => {
            "remove it, and use `sslmode=verify-full`, which also prevents interception".to_owned()
        }
        "connect_timeout" | "pool_timeout" | "connection_limit" | "pool_max_conns" | "max_pool_size" => {
            "remove it: Latchkey has its own limits".to_owned()
        }
        lower => match nearest(lower, KNOWN.iter().map(|(known, _)| *known)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("remove it, or use one of {}", usual_names().join(", ")),
        },
    };
    Err(fault(format!("the PostgreSQL URL has the unknown parameter `{name}`"), hint))
}

fn usual_names() -> Vec<&'static str> {
    let mut names: Vec<_> = KNOWN.iter().map(|(_, usual)| *usual).collect();
    names.dedup();
    names
}

fn check_value(name: &str, value: &str) -> Result<(), UrlFault> {
    let is_wrong =
        |what: &str| fault(format!("the value of `{name}` in the PostgreSQL URL is not valid"), what);
    match name {
        "sslmode" if !SSL_MODES.split(", ").any(|mode| mode.eq_ignore_ascii_case(value)) => {
            Err(is_wrong(&format!("use one of {SSL_MODES}")))
        }
        "sslrootcert" if value == "system" && !Path::new(value).exists() => {
            Err(is_wrong("remove it to trust public certificate authorities, or use the path of a PEM file"))
        }
        ATTRIBUTES if matches!(value, "read-only" | "standby" | "prefer-standby") => {
            Err(is_wrong("use read-write: Latchkey writes to the database"))
        }
        ATTRIBUTES if !matches!(value, "any" | "read-write" | "primary") => {
            Err(is_wrong("use read-write, primary or any"))
        }
        "hostaddr" if value.split(',').any(|address| address.parse::<IpAddr>().is_err()) => {
            Err(is_wrong("use an IP address"))
        }
        "statement-cache-capacity" if value.parse::<u32>().is_err() => Err(is_wrong("use a number")),
        "sslmode" | "hostaddr" | "statement-cache-capacity" | ATTRIBUTES | "password" => Ok(()),
        _ if value.is_empty() => Err(is_wrong("it is empty; set a value, or remove the parameter")),
        _ => Ok(()),
    }
}

/// Parses the hosts between `@` and `/`.
fn places(text: &str) -> Result<Places, UrlFault> {
    let mut places = Places::default();
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let (name, number) = match part.split_once(']') {
            Some((name, rest)) => {
                let number = rest.strip_prefix(':').unwrap_or(rest);
                if !rest.is_empty() && number == rest {
                    return Err(fault("only a port can follow an address in `[ ]`", ENCODE));
                }
                (format!("{name}]"), number)
            }
            None if part.starts_with('[') => return Err(no_host()),
            None => {
                let (name, number) = part.split_once(':').unwrap_or((part, ""));
                (name.to_owned(), number)
            }
        };
        places.names.push(decoded(&name, "the host")?);
        places.ports.push(port(number)?);
    }
    Ok(places)
}

fn port(text: &str) -> Result<Option<u16>, UrlFault> {
    let is_number = text.chars().all(|digit| digit.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_number && *number > 0);
    if !text.is_empty() && number.is_none() {
        return Err(fault("the PostgreSQL port must be a number from 1 to 65535", ENCODE));
    }
    Ok(number)
}

impl Places {
    /// The parameters of each host. A single port applies to all hosts. Without a host, sqlx reads `PGHOST`.
    fn hosts(self) -> Result<Vec<Vec<(String, String)>>, UrlFault> {
        let Self { names, ports } = self;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        if ports.len() > 1 && ports.len() != names.len() {
            let problem = format!("the PostgreSQL URL has {} hosts but {} ports", names.len(), ports.len());
            return Err(fault(problem, "give one port, or one for each host"));
        }
        names
            .into_iter()
            .enumerate()
            .map(|(at, name)| {
                let port = ports.get(if ports.len() == 1 { 0 } else { at }).copied().flatten();
                if is_host(&name) {
                    let port = port.map(|port| ("port".to_owned(), port.to_string()));
                    Ok([Some(("host".to_owned(), name)), port].into_iter().flatten().collect())
                } else {
                    Err(no_host())
                }
            })
            .collect()
    }
}

fn no_host() -> UrlFault {
    fault("a PostgreSQL host must be a name, an address or the folder of a socket", ENCODE)
}

fn is_host(name: &str) -> bool {
    if name.starts_with('/') {
        return true;
    }
    if let Some(address) = name.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| matches!(address.parse(), Ok(IpAddr::V6(_))));
    }
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    is_name || matches!(name.parse(), Ok(IpAddr::V6(_)))
}

fn decoded(text: &str, what: &str) -> Result<String, UrlFault> {
    let text = percent_decode_str(text).decode_utf8();
    match text {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(fault(format!("the percent-encoded value of `{what}` is not valid UTF-8"), ENCODE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::options::place;

    /// Checks hosts, user, database, and whether the host must accept writes.
    #[track_caller]
    fn check(url: &str, hosts: &str, user: &str, database: &str, needs_writes: bool) {
        let servers = read(url).unwrap_or_else(|fault| panic!("{url}: {fault}"));
        let options = servers.first();
        assert_eq!(servers.to_string(), hosts, "{url}");
        assert_eq!((options.get_username(), options.get_database()), (user, Some(database)), "{url}");
        assert_eq!(servers.needs_writes(), needs_writes, "{url}");
    }

    #[test]
    fn urls_of_managed_services_are_understood() {
        let plain = "db.example.com:5432";
        check("postgres://lk:p@db.example.com/rows?sslmode=verify-full", plain, "lk", "rows", false);
        check("postgresql://lk@db.example.com/rows?ssl-mode=REQUIRE", plain, "lk", "rows", false);
        check("postgres://lk@db.example.com/rows?options=endpoint%3Da-1", plain, "lk", "rows", false);
        check("postgres://lk@db.example.com/rows?options[geqo]=off", plain, "lk", "rows", false);
        check("postgres://lk@server:p@db.example.com/rows", plain, "lk@server", "rows", false);
        check(
            "postgres://db.example.com/rows?user=lk%40server&password=p",
            plain,
            "lk@server",
            "rows",
            false,
        );
        check("postgres://lk@[::1]:6000/rows", "[::1]:6000", "lk", "rows", false);
        check("postgres://lk:p@/rows?host=/cloudsql/a:b:c", "/cloudsql/a:b:c:5432", "lk", "rows", false);
        check("postgres:///rows?host=/run&user=lk&port=6000", "/run:6000", "lk", "rows", false);
        check("postgres://lk@%2Frun%2Fpostgresql/rows", "/run/postgresql:5432", "lk", "rows", false);
        let both = "a.example:5432,b.example:5433";
        check("postgres://lk@a.example,b.example:5433/rows", both, "lk", "rows", true);
        check("postgres://lk@/rows?host=a.example,b.example&port=5432,5433", both, "lk", "rows", true);
        check(
            "postgres://lk@a.example,b.example:5433/rows?target_session_attrs=any",
            both,
            "lk",
            "rows",
            false,
        );
        check("postgres://lk@db.example.com/rows?target_session_attrs=read-write", plain, "lk", "rows", true);
        let verified = read("postgres://lk@db.example.com/rows?sslmode=require&sslrootcert=/ca.pem").unwrap();
        assert!(matches!(verified.first().get_ssl_mode(), PgSslMode::VerifyCa));
    }

    #[test]
    fn passwords_may_contain_any_character() {
        for (written, meant) in [
            ("p@ss", "p@ss"),
            ("p:w", "p:w"),
            ("p%40%2F%3F%23%25", "p@/?#%"),
            ("100%", "100%"),
            ("a+b", "a+b"),
            ("%C3%BC", "ü"),
        ] {
            let servers = read(&format!("postgres://lk:{written}@db/rows")).unwrap();
            // This is the only place where sqlx shows the password.
            let shown = sqlx::ConnectOptions::to_url_lossy(servers.first());
            let password =
                shown.password().map(|password| percent_decode_str(password).decode_utf8().unwrap());
            assert_eq!(password.as_deref(), Some(meant), "{written}");
        }
    }

    // Once, sqlx connected to `…/latchkey?sslmod=verify-full` without TLS.
    #[test]
    fn unknown_parameter_is_refused_with_a_hint() {
        for (query, hint) in [
            ("sslmod=verify-full", "did you mean `sslmode`?"),
            ("SSLMODE=verify-full", "did you mean `sslmode`?"),
            ("sslrootcrt=a.pem", "did you mean `sslrootcert`?"),
            ("target_session_attr=read-write", "did you mean `target_session_attrs`?"),
            ("ssl=true", "use `sslmode=verify-full`"),
            ("schema=auth", "remove it: Latchkey needs its own database and uses the schema `public`"),
            ("pgbouncer=true", "remove it, and connect to the server directly instead of through a pooler"),
            ("sslmode=disable&connect_timeout=10", "remove it: Latchkey has its own limits"),
        ] {
            let fault = read(&format!("postgres://lk:canary@db.example.com/rows?{query}")).unwrap_err();
            let name = query.rsplit('&').next().unwrap().split('=').next().unwrap();
            assert!(fault.problem.contains(&format!("`{name}`")), "{fault}");
            assert_eq!(fault.hint, hint, "{query}");
        }
        let fault = read("postgres://db/rows?krbsrvname=x").unwrap_err();
        assert!(fault.hint.contains("one of sslmode, sslrootcert, sslcert, sslkey, "), "{fault}");
    }

    #[test]
    fn faults_are_named_without_the_value() {
        for (url, named) in [
            ("postgres://lk:canary@db/rows?sslmode=canary", "value of `sslmode`"),
            ("postgres://lk:canary@db/rows?sslmode=no-verify", "value of `sslmode`"),
            ("postgres://lk:canary@db/rows?sslmode=require&sslmode=disable", "`sslmode` appears twice"),
            ("postgres://lk:canary@db/rows?ssl-mode=require&sslmode=disable", "`sslmode` appears twice"),
            ("postgres://lk:canary@db/rows?sslrootcert=", "value of `sslrootcert`"),
            ("postgres://lk:canary@db/rows?sslrootcert=/ca.pem", "also set `sslmode=verify-full`"),
            ("postgres://lk:canary@db/rows?sslrootcert=/a&sslmode=prefer", "also set `sslmode=verify-full`"),
            ("postgres://lk:canary@db/rows?target_session_attrs=standby", "read-write: Latchkey writes"),
            (
                "postgres://lk:canary@db/rows?statement-cache-capacity=many",
                "value of `statement-cache-capacity`",
            ),
            ("postgres://lk:canary@db/rows?hostaddr=10.0.0.1", "`hostaddr` overrides the host"),
            ("postgres://lk:canary@db:canary/rows", "the PostgreSQL port must be a number"),
            ("postgres://lk:canary@db:70000/rows", "the PostgreSQL port must be a number"),
            ("postgres://lk:canary@a,b/rows?port=1,2,3", "2 hosts but 3 ports"),
            ("postgres://lk:canary@a,,b/rows", "a PostgreSQL host must be a name"),
            ("postgres://lk:canary@[::1/rows", "a PostgreSQL host must be a name"),
            ("postgres://lk:p@canary:w/ord?#1@db/rows", "%23 for #"),
            ("postgres://lk:canary/1@db/rows", "%2F for /"),
            ("postgres://lk:12/canary@db/rows", "%2F for /"),
            ("postgres://lk:12?canary@db/rows", "may be part of the password"),
            ("postgres://lk:12?canary=1@db/rows", "may be part of the password"),
            ("postgres://lk:canary%FF@db/rows", "percent-encoded value of `password`"),
            ("mysql://lk:canary@db/rows", "this is not a PostgreSQL URL"),
        ] {
            let fault = read(url).unwrap_err().to_string();
            assert!(fault.contains(named) && !fault.contains("canary"), "{url}: {fault}");
        }
    }

    #[test]
    fn messages_never_contain_the_password() {
        let servers = read("postgres://latchkey:canary@db.example.com:5433/rows").unwrap();
        assert_eq!(place(servers.first()), "db.example.com:5433/rows");
        assert!(!format!("{servers:?}").contains("canary"));
    }
}
