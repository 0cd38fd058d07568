//! The lines of a source that belong to a mark.

pub(super) const OPEN: &str = "// [";
pub(super) const CONTINUED: &str = "//   ";

/// Whether a line of a source belongs to a mark.
pub(super) fn is_mark(line: &str) -> bool {
    [OPEN, CONTINUED].iter().any(|start| line.trim_start().starts_with(start))
}
