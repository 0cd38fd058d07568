//! Changes the platform's rows, and records the actor of each change. A declaration is compared with the
//! store, which yields a plan. The store commits a plan whole or not at all. In reading order:

#![cfg_attr(
    not(feature = "schemas"),
    expect(dead_code, unused_imports, reason = "what only schemas name; lints judge it with the feature")
)]

// The kinds of rows, their changes, and who may change them.
pub mod kinds;

// What the operator's files declare, compared with the store: what differs, and the plan.
pub mod declaration;

// Documents as they are read and shown.
pub mod documents;

// The rules over documents and rows.
pub mod rules;

// What a request changes, decided from the stored rows.
pub mod edit;

// What happened: records of changes, sign-ins and refusals, and counts of use.
pub mod audit;

// Mail to people, and the queue for it.
pub mod mail;

// The services for files and for all other interfaces.
pub mod administrator;

// What administration needs of a store.
pub mod store;

// Rows for the store.
pub mod rows;
