//! A port for a program that must know its own address before it starts.

use std::hash::{BuildHasher as _, RandomState};
use std::iter::repeat_with;
use std::net::{Ipv4Addr, TcpListener};

/// Below the ports that systems use for outgoing connections (from 32768 on Linux), because such a connection
/// could take the port before the program listens, and above the ports that browsers refuse.
const FIRST: u16 = 11_000;
const PORTS: u64 = 20_000;

/// Returns a random port of this machine without a listener. Random, because several tests run at the same
/// time.
#[must_use]
pub fn free_port() -> u16 {
    let drawn = || {
        let offset = RandomState::new().hash_one(()) % PORTS;
        FIRST + u16::try_from(offset).expect("there are fewer ports")
    };
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    repeat_with(drawn).find(is_free).expect("an endless iterator")
}
