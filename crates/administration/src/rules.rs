//! The rules for documents, which all interfaces share. They convert a document into the domain's types, or
//! return all of its errors. An error has a JSON pointer into the document; a file reader finds the line for
//! it.

pub mod advice;
mod branding;
mod certificate_subject;
mod client;
mod code_flow;
mod effects;
mod federation;
mod field_errors;
mod groups;
mod issuer_paths;
mod key_set;
pub mod limits;
mod logo;
mod names;
mod recovery;
mod refresh_token;
mod secret_rotation;
mod sign_in;
mod signing;
mod static_claims;
mod subject;
mod tenant;
mod text;

pub use client::check_client;
pub use effects::{Offer, UrlRule, tenant_effects};
pub use federation::overlapping_subjects;
pub(crate) use federation::{check_patterns, overlapping_rows, overlaps_of};
pub use field_errors::FieldErrors;
pub use groups::check_new_groups;
pub use issuer_paths::{IssuerOwners, PROGRAM_PATHS, undiscoverable};
pub(crate) use issuer_paths::{above_another, check_new_issuer, has_path, issuers_above};
pub use names::{TakenNames, check_issuer_owners};
pub(crate) use names::{check_client_names, check_tenant_names, spelled_twice};
pub use recovery::RecoveryObstacle;
pub(crate) use recovery::recovery_obstacles;
pub(crate) use static_claims::{AUTHORIZATION_CLAIMS, RESERVED, misread};
pub(crate) use subject::check_sectors;
pub use tenant::{TenantContext, check_introspection_clients, check_tenant};
pub(crate) use text::member;
pub use text::{LONGEST_ID, LONGEST_URI, unfit};

/// The interface that a document came through. Some rules and defaults differ:
/// - A file may name a value that is not supported yet, which causes a warning. It cannot grant scopes of the
///   administration.
/// - The API refuses unsupported values. The caller's permissions decide which scopes it can grant.
/// - An adapter itself decides what its API supports. It cannot grant scopes of the administration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interface {
    /// The administration API, and the command line, which uses the API.
    #[default]
    Api,
    /// The operator's files.
    File,
    /// Another API, such as the Thunder-compatible one, whose requests an adapter translates.
    Adapter,
}
