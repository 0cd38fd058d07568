//! Where a value stands in a document (RFC 6901): a chain of steps to the root. The text is made for a fault only, since making it
//! for each value costs as much as the names around it are long.

use std::fmt;

use super::escaped;

/// A place in a document.
#[derive(Clone, Copy, Debug)]
pub enum Pointer<'a> {
    /// The document itself.
    Root,
    /// The member of this name.
    Member(&'a Self, &'a str),
    /// The item of this index.
    Item(&'a Self, usize),
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => write!(f, "{parent}/{}", escaped(name)),
            Self::Item(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}
