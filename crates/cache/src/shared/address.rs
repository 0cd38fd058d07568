//! The address of Redis from one URL: a server, Sentinels, or a cluster.

use redis::{ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};

/// A URL in one of the forms `redis://host`, `redis+sentinel://host,host/master-name` and
/// `redis+cluster://host,host`. `rediss` instead of `redis` uses TLS. `user:password@` and ports are
/// optional. A server or master may have `/database`.
#[derive(Clone)]
pub(crate) enum Address {
    Server(ConnectionInfo),
    /// `settings` apply to the master that the Sentinels name.
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        master: String,
        settings: Box<RedisConnectionInfo>,
    },
    Cluster(Vec<ConnectionInfo>),
}

/// The text is not a Redis URL. The error does not contain the text, which may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Redis URL: {0}")]
pub struct InvalidRedisUrl(String);

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, InvalidRedisUrl> {
        let invalid = |why: &str| InvalidRedisUrl(why.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid("no scheme"))?;
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        if !matches!(scheme, "redis" | "rediss") {
            return Err(invalid("the scheme is neither redis nor rediss"));
        }
        let (credentials, places) = rest.rsplit_once('@').map_or(("", rest), |(left, right)| (left, right));
        let (hosts, path) = places.split_once('/').unwrap_or((places, ""));
        let at = |credentials: &str, host: &str, database: &str| {
            let at = if credentials.is_empty() { "" } else { "@" };
            let url = format!("{scheme}://{credentials}{at}{host}/{database}");
            url.as_str().into_connection_info().map_err(|_| invalid("host, port, credentials or database"))
        };
        let all = |credentials: &str| -> Result<Vec<_>, _> {
            hosts.split(',').map(|host| at(credentials, host, "")).collect()
        };
        match kind {
            "" => Ok(Self::Server(at(credentials, hosts, path)?)),
            "cluster" if path.is_empty() => Ok(Self::Cluster(all(credentials)?)),
            "cluster" => Err(invalid("a cluster has no databases")),
            "sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(invalid("the name of the master is missing"));
                }
                let settings = Box::new(at(credentials, "master", database)?.redis_settings().clone());
                // The credentials are for the master. Sentinels get them only if they refuse to answer
                // without credentials.
                Ok(Self::Sentinel { sentinels: all("")?, master: master.to_owned(), settings })
            }
            _ => Err(invalid("only +sentinel and +cluster are known")),
        }
    }

    /// Sets the password of servers and masters, not of Sentinels.
    pub(crate) fn with_password(self, password: &str) -> Self {
        let with = |info: ConnectionInfo| {
            let settings = info.redis_settings().clone().set_password(password);
            info.set_redis_settings(settings)
        };
        match self {
            Self::Server(info) => Self::Server(with(info)),
            Self::Sentinel { sentinels, master, settings } => {
                Self::Sentinel { sentinels, master, settings: Box::new(settings.set_password(password)) }
            }
            Self::Cluster(nodes) => Self::Cluster(nodes.into_iter().map(with).collect()),
        }
    }

    pub(crate) fn uses_tls(&self) -> bool {
        let is_tls = |info: &ConnectionInfo| matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. });
        match self {
            Self::Server(info) => is_tls(info),
            Self::Sentinel { sentinels: nodes, .. } | Self::Cluster(nodes) => nodes.iter().any(is_tls),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_server_sentinels_or_a_cluster() {
        for (url, expected, tls) in [
            ("redis://localhost", "server", false),
            ("redis://:p%40ss@10.0.0.1:6380/3", "server", false),
            ("rediss://user:pass@cache.example.com:6380", "server", true),
            ("redis+sentinel://a,b:26380/main", "sentinel main", false),
            ("rediss+sentinel://user:pass@a:26379,b:26379/main/2", "sentinel main", true),
            ("redis+cluster://a:7000,b:7001", "cluster 2", false),
            ("rediss+cluster://user:pass@a:7000", "cluster 1", true),
        ] {
            let address = Address::parse(url).unwrap();
            let kind = match &address {
                Address::Server(_) => "server".to_owned(),
                Address::Sentinel { master, .. } => format!("sentinel {master}"),
                Address::Cluster(nodes) => format!("cluster {}", nodes.len()),
            };
            assert_eq!((kind.as_str(), address.uses_tls()), (expected, tls), "{url}");
        }
    }

    #[test]
    fn new_password_leaves_the_rest_of_the_address() {
        for url in
            ["redis://user:old@a/3", "redis+sentinel://user:old@a,b/main/3", "redis+cluster://user:old@a,b"]
        {
            let settings: Vec<_> = match Address::parse(url).unwrap().with_password("new") {
                Address::Server(info) => vec![info.redis_settings().clone()],
                Address::Sentinel { settings, .. } => vec![*settings],
                Address::Cluster(nodes) => nodes.iter().map(|info| info.redis_settings().clone()).collect(),
            };
            for settings in settings {
                assert_eq!((settings.username(), settings.password()), (Some("user"), Some("new")), "{url}");
            }
        }
    }

    #[test]
    fn a_bad_url_is_refused_without_repeating_it() {
        let bad = "localhost:6379 http://localhost redis+ring://h redis://h/sekret redis://u:sekret@ \
            redis+sentinel://u:sekret@h redis+cluster://u:sekret@h/1 redis://u:sekret@h:port";
        for url in bad.split(' ').chain([""]) {
            let error = Address::parse(url).err().unwrap();
            assert!(!error.to_string().contains("sekret"), "{url}: {error}");
        }
    }
}
