//! Finds out whether a node of Redis works: the node must run the scripts of requests, which write and
//! publish. Answering a ping is not enough.

use redis::Script;

use super::connector::Connection;
use super::names::Names;
use super::scripts::{LOOK, PUBLISH_INVALIDATION};

/// The message that a probe publishes. Replicas ignore it.
pub(crate) const EMPTY_MESSAGE: &[u8] = b"";

/// The number of names to try for a name on each node.
const NAMES: u32 = 100_000;

/// The keys and the channel that probes of one installation use.
pub(crate) struct Probe {
    keys: [String; 3],
    channel: String,
}

impl Probe {
    pub(crate) fn new(names: &Names) -> Self {
        Self { keys: names.probe(), channel: names.channel() }
    }

    /// Keys that are stored on this node. A node without slots has none, and requests do not use it either.
    pub(crate) fn keys_of(&self, connection: &Connection, node: usize) -> [String; 3] {
        let numbered = |number: u32| {
            self.keys.each_ref().map(|key| key.replace("{.probe}", &format!("{{.probe-{number}}}")))
        };
        let mut all = (0..NAMES).map(numbered);
        let fitting = all.find(|keys| connection.node_of(&keys[0]) == Some(node));
        fitting.unwrap_or_else(|| self.keys.clone())
    }

    /// The scripts, each with its name for operators and its arguments. A value expires after one
    /// millisecond, because [`LOOK`] only writes if there is no value.
    pub(crate) fn steps<'a>(&'a self, token: &'a str) -> [(&'static str, &'static Script, Vec<&'a [u8]>); 2] {
        [
            ("scripts that write", &LOOK, vec![token.as_bytes(), b"1", b"1"]),
            ("scripts that publish", &PUBLISH_INVALIDATION, vec![self.channel.as_bytes(), EMPTY_MESSAGE]),
        ]
    }
}
