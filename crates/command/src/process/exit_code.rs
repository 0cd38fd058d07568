//! The exit codes of commands; docs/command-line.md has the table.

/// The exit code for an error status of a server.
pub(crate) const fn exit_code_of_status(status: u16) -> u8 {
    match status {
        404 => 3,
        409 | 412 => 4,
        401 | 403 => 5,
        408 | 429 | 500.. => 6,
        _ => 1,
    }
}
