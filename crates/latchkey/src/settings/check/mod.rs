//! The rules that a well-formed configuration must still keep. Each is a pure function over what was declared; what it
//! finds carries the key, and so the line.

pub(crate) mod client;
pub(crate) mod files;
mod method;
pub(crate) mod sealing;
pub(crate) mod secret;
pub(crate) mod server;
pub(crate) mod tenant;
mod text;
pub(crate) mod unsupported;

#[cfg(test)]
mod tests;
