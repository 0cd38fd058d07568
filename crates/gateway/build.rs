//! Compresses the documents that the program prints and serves, because they have a megabyte as
//! text.

use std::fs::{self, File};
use std::io::{Error, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// In the repository, relative to the workspace.
const DOCUMENTS: [&str; 2] = ["docs/openapi.json", "config.schema.json"];

#[expect(
    clippy::disallowed_methods,
    reason = "cargo names the folder for generated files in the environment"
)]
fn main() -> Result<(), Error> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder =
        PathBuf::from(std::env::var_os("OUT_DIR").ok_or_else(|| Error::other("cargo sets OUT_DIR"))?);
    for document in DOCUMENTS {
        let source = Path::new("../..").join(document);
        println!("cargo::rerun-if-changed={}", source.display());
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut file = GzEncoder::new(File::create(folder.join(name + ".gz"))?, Compression::best());
        file.write_all(&fs::read(&source)?)?;
        file.finish()?;
    }
    Ok(())
}
