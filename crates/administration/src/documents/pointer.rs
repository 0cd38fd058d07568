//! The place of a value in a document (RFC 6901): a chain of steps to the root. The text of a pointer is
//! written only for an error, because it is as long as all names around the value together.

use std::fmt;

#[derive(Clone, Copy, Debug)]
pub enum Pointer<'a> {
    Root,
    Member(&'a Self, &'a str),
    Item(&'a Self, usize),
}

/// The names and indices of a pointer, beginning at the root (RFC 6901 §4).
pub fn pointer_names(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"))
}

/// A name, escaped for a pointer (RFC 6901 §3).
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointer_names_round_trip() {
        for names in [&[][..], &["a"], &["a/b", "~1", "", "0"], &["~", "/", "~01"]] {
            let pointer: String = names.iter().map(|name| format!("/{}", escaped(name))).collect();
            assert_eq!(pointer_names(&pointer).collect::<Vec<_>>(), names, "{pointer}");
        }
    }
}
