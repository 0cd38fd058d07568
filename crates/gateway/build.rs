//! Compresses the script of the documentation page: as text, it would be a fifth of the program.

use std::fs::File;
use std::io::{Error, Write as _};
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo names the folder for generated files in the environment"
)]
fn main() -> Result<(), Error> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder =
        PathBuf::from(std::env::var_os("OUT_DIR").ok_or_else(|| Error::other("cargo sets OUT_DIR"))?);
    let script = scalar_api_reference::get_asset("scalar.js").ok_or_else(|| Error::other("no scalar.js"))?;
    let mut file = GzEncoder::new(File::create(folder.join("scalar.js.gz"))?, Compression::default());
    file.write_all(&script)?;
    file.finish()?.sync_all()
}
