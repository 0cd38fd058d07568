//! The platform's rows: the store traits of the domain crates over SQLite, and over PostgreSQL for several replicas.
//!
//! A row that belongs to a tenant has the tenant's id in its primary key, and every query of such rows names it.

mod column;
mod migrations;
mod rows;
mod tables;

pub mod postgres;
pub mod sqlite;
