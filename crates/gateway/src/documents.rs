//! Parses bodies of the admin API strictly: each JSON member must be known, have the right type,
//! and occur once. `administration` defines the documents; this module parses their text.

mod key_rotation;
mod read;
mod report_digest;

use administration::shaped;

use crate::thunder::ApplicationDocument;

pub(crate) use key_rotation::KeyRotation;
pub(crate) use read::{patch, read, secret_end};
pub(crate) use report_digest::ReportDigest;

shaped!("documents/shapes.json": ApplicationDocument, KeyRotation, ReportDigest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_shapes_match_the_types() {
        assert!(shapes() == include_str!("documents/shapes.json"), "run `cargo xtask codegen`");
    }
}
