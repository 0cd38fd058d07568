//! What a database file does beyond the contract of every store: opening, reconciling, and several processes on one file.

mod change_feed;
mod declared;
mod opening;
mod reconciling;
mod replicas;
