//! `latchkey key …`.

use std::path::Path;
use std::process::ExitCode;

use keys::SealingKey;

use super::print;
use crate::sealing::{self, SealingError};
use crate::start_error::StartError;

/// Makes a sealing key.
pub(crate) fn new_sealing_key(file: Option<&Path>) -> Result<ExitCode, StartError> {
    match file {
        Some(path) => {
            sealing::create(path)?;
            print(&format!("wrote {}; keep a copy apart from the database\n", path.display()))
        }
        None => {
            let key = SealingKey::generate().map_err(SealingError::from)?;
            print(&format!("{}\n", key.to_base64().expose()))
        }
    }
}
