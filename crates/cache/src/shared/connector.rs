//! Opens connections: one for commands, which all requests share, and one for messages.

use parking_lot::RwLock;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, FromRedisValue, RedisResult, Script, TlsMode};

use super::address::Address;
use super::cluster::Cluster;
use super::options::RedisTiming;

pub(crate) struct Connector {
    address: RwLock<Address>,
    pub(crate) timing: RedisTiming,
}

/// A connection that all requests share.
#[derive(Clone)]
pub(crate) enum Connection {
    Server(MultiplexedConnection),
    Cluster(Cluster),
}

impl Connector {
    pub(crate) fn new(address: Address, timing: RedisTiming) -> Self {
        if address.uses_tls() {
            // An error means that the process already has a crypto provider.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        Self { address: RwLock::new(address), timing }
    }

    /// Sets the password for new connections.
    pub(crate) fn use_password(&self, password: &str) {
        let address = self.address().with_password(password);
        *self.address.write() = address;
    }

    fn address(&self) -> Address {
        self.address.read().clone()
    }

    pub(crate) async fn connect(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timing.connect))
            .set_response_timeout(Some(self.timing.response));
        match self.address() {
            Address::Cluster(nodes) => Cluster::connect(&nodes, &config).await.map(Connection::Cluster),
            Address::Server(_) | Address::Sentinel { .. } => {
                let client = self.client().await?;
                let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
                Ok(Connection::Server(connection))
            }
        }
    }

    pub(crate) async fn subscribe(&self, channel: &str) -> RedisResult<PubSub> {
        let mut messages = match self.address() {
            // A cluster publishes every message to all nodes, so any node works.
            Address::Cluster(nodes) => first_of(nodes.iter()).await?,
            Address::Server(_) | Address::Sentinel { .. } => self.client().await?.get_async_pubsub().await?,
        };
        messages.subscribe(channel).await?;
        Ok(messages)
    }

    async fn client(&self) -> RedisResult<Client> {
        let address = self.address();
        let is_tls = address.uses_tls();
        match address {
            Address::Server(info) => Client::open(info),
            Address::Sentinel { sentinels, master, settings } => {
                let settings = *settings;
                let mut node =
                    SentinelNodeConnectionInfo::default().set_redis_connection_info(settings.clone());
                if is_tls {
                    node = node.set_tls_mode(TlsMode::Secure);
                }
                let find = async |sentinels: Vec<ConnectionInfo>| {
                    Sentinel::build(sentinels)?.async_master_for(&master, Some(&node)).await
                };
                let found = find(sentinels.clone()).await;
                if found.is_ok() || settings.password().is_none() {
                    return found;
                }
                // Sentinels without a password refuse a client that sends one.
                let with = |info: ConnectionInfo| info.set_redis_settings(settings.clone().set_db(0));
                find(sentinels.into_iter().map(with).collect()).await.or(found)
            }
            Address::Cluster(_) => {
                Err((redis::ErrorKind::InvalidClientConfig, "a cluster has no single server").into())
            }
        }
    }
}

impl Connection {
    /// The number of nodes that can fail independently.
    pub(crate) fn nodes(&self) -> usize {
        match self {
            Self::Server(_) => 1,
            Self::Cluster(cluster) => cluster.masters(),
        }
    }

    /// The node of this key. `None` if the cluster has not assigned the slot.
    pub(crate) fn node_of(&self, key: &str) -> Option<usize> {
        match self {
            Self::Server(_) => Some(0),
            Self::Cluster(cluster) => cluster.master_of(key),
        }
    }

    /// Runs the script by its digest. If Redis does not know the script, for example after a restart, sends
    /// its text first.
    pub(crate) async fn run<T: FromRedisValue>(
        &mut self,
        node: usize,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> RedisResult<T> {
        let mut call = script.key(keys);
        call.arg(arguments);
        match self {
            Self::Server(connection) => call.invoke_async(connection).await,
            Self::Cluster(cluster) => call.invoke_async(cluster.connection(node)?).await,
        }
    }
}

async fn first_of(nodes: impl Iterator<Item = &redis::ConnectionInfo>) -> RedisResult<PubSub> {
    let mut last = Err((redis::ErrorKind::ClusterConnectionNotFound, "no node").into());
    for node in nodes {
        last = Client::open(node.clone())?.get_async_pubsub().await;
        if last.is_ok() {
            break;
        }
    }
    last
}
