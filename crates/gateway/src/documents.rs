//! Bodies of the admin API, read strictly: JSON whose members are each there once, known, and of their type. The documents are
//! administration's; here is the text around them.

mod key_rotation;
mod read;

use administration::shaped;

use crate::thunder::ApplicationDocument;

pub(crate) use key_rotation::KeyRotation;
pub(crate) use read::{patch, read, secret_end};

shaped!("documents/shapes.json": ApplicationDocument, KeyRotation);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_shapes_are_those_of_the_types() {
        assert!(shapes() == include_str!("documents/shapes.json"), "run `cargo xtask codegen`");
    }
}
