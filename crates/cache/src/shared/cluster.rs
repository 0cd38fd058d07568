//! The masters of a cluster with a connection to each, so that a node that does not answer stops no other.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::cluster_routing::Slot;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, RedisResult, Value,
    from_redis_value,
};

/// The slots of a cluster.
const SLOTS: u16 = 16_384;

/// The masters, as one of them knew them.
#[derive(Clone)]
pub(crate) struct Cluster {
    masters: Arc<HashMap<Slot, usize>>,
    /// None of a master that could not be connected.
    connections: Vec<Option<MultiplexedConnection>>,
}

impl Cluster {
    /// Asks the first of these nodes that answers, and connects to all masters.
    pub(crate) async fn connect(
        nodes: &[ConnectionInfo],
        config: &AsyncConnectionConfig,
    ) -> RedisResult<Self> {
        let mut last = Err((ErrorKind::ClusterConnectionNotFound, "no node").into());
        for node in nodes {
            last = masters(node, config).await;
            if last.is_ok() {
                break;
            }
        }
        let (masters, infos) = last?;
        let open = async |info: ConnectionInfo| open(info, config).await.ok();
        let connections = join_all(infos.into_iter().map(open)).await;
        Ok(Self { masters: Arc::new(masters), connections })
    }

    pub(crate) fn masters(&self) -> usize {
        self.connections.len()
    }

    /// The master of the slot of this key.
    pub(crate) fn master_of(&self, key: &str) -> Option<usize> {
        self.masters.get(&Slot::for_key(key)).copied()
    }

    pub(crate) fn connection(&mut self, master: usize) -> RedisResult<&mut MultiplexedConnection> {
        let none = || (ErrorKind::ClusterConnectionNotFound, "the node cannot be connected").into();
        self.connections.get_mut(master).and_then(Option::as_mut).ok_or_else(none)
    }
}

async fn open(info: ConnectionInfo, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
    Client::open(info)?.get_multiplexed_async_connection_with_config(config).await
}

/// The master of each slot, and the addresses of the masters.
async fn masters(
    node: &ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> RedisResult<(HashMap<Slot, usize>, Vec<ConnectionInfo>)> {
    let mut connection = open(node.clone(), config).await?;
    let ranges: Vec<Vec<Value>> = redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut connection).await?;
    let (mut masters, mut infos) = (HashMap::with_capacity(SLOTS.into()), Vec::<ConnectionInfo>::new());
    for range in ranges {
        let [first, last, master, ..] = &*range else { continue };
        let first: u16 = from_redis_value(first.clone())?;
        let last: u16 = from_redis_value(last.clone())?;
        let info = at(node, from_redis_value(master.clone())?)?;
        let known = infos.iter().position(|known| known.addr() == info.addr());
        let number = known.unwrap_or(infos.len());
        if known.is_none() {
            infos.push(info);
        }
        masters.extend((first..=last).filter_map(Slot::new).map(|slot| (slot, number)));
    }
    if infos.is_empty() {
        return Err((ErrorKind::ClusterConnectionNotFound, "no node has slots").into());
    }
    Ok((masters, infos))
}

/// The address of a master. Its name may be unknown: then it is the name of the node that was asked.
fn at(asked: &ConnectionInfo, master: Vec<Value>) -> RedisResult<ConnectionInfo> {
    let mut members = master.into_iter();
    let name = from_redis_value::<Option<String>>(members.next().unwrap_or(Value::Nil))?;
    let port = from_redis_value(members.next().unwrap_or(Value::Nil))?;
    let name = name.filter(|name| !matches!(name.as_str(), "" | "?"));
    let mut address = asked.addr().clone();
    if let ConnectionAddr::Tcp(host, of) | ConnectionAddr::TcpTls { host, port: of, .. } = &mut address {
        *host = name.unwrap_or_else(|| host.clone());
        *of = port;
    }
    Ok(asked.clone().set_addr(address))
}
