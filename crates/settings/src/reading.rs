//! One reading of files and variables: what was read so far, and the findings.

use std::path::Path;

use outbound::KeyService;
use values::Timestamp;

use super::{
    claim_texts,
    document::Document,
    environment::Environment,
    file_reader::FileReader,
    findings::Findings,
    form_faults::FormFaults,
    layers::{self, Overridden},
    locations::Locations,
    read_error::ReadError,
    recovery::{self, Recovered},
    secret_stores::StoredValues,
    source_snapshot::SourceSnapshot,
};

/// Whether the program contains a key service. Tests replace [`KeyService::is_built_in`].
pub(crate) type IsBuiltIn = fn(KeyService) -> bool;

pub(super) struct Reading<'e> {
    pub(super) file_reader: FileReader<'e>,
    pub(super) locations: Locations,
    pub(super) findings: Findings,
    pub(super) form: FormFaults,
    pub(super) is_built_in: IsBuiltIn,
    pub(super) stored: StoredValues,
    /// The time of an inspection, which also searches for errors of a start and settings without effect.
    /// `None` if the settings are only read.
    pub(super) inspected_at: Option<Timestamp>,
}

impl<'e> Reading<'e> {
    /// Reads config.yaml and the environment, but nothing that they name.
    pub(super) fn begin(
        path: &Path,
        environment: &'e Environment,
        snapshot: Option<&'e SourceSnapshot>,
        is_built_in: IsBuiltIn,
    ) -> Result<(Self, Document), ReadError> {
        let mut file_reader = FileReader::new(environment, path, snapshot);
        file_reader.watch(path);
        let main = file_reader.settings(path, "config.yaml")?;
        let Recovered { value, faults, left_out } = recovery::parse::<Document>(&main);
        let mut reading = Self {
            file_reader,
            locations: Locations { sources: vec![main], overridden: Overridden::new() },
            findings: Findings::default(),
            form: FormFaults::of_main(faults, left_out),
            is_built_in,
            stored: StoredValues::default(),
            inspected_at: None,
        };
        let Some(mut document) = value else { return Err(reading.form.into_error()) };
        if reading.form.is_empty() {
            claim_texts::of_document(&mut document, &reading.locations.sources[0])?;
        }
        match layers::apply(&mut document, environment) {
            Ok(overridden) => reading.locations.overridden = overridden,
            Err(error) => reading.form.add_of_variables(error.faults),
        }
        Ok((reading, document))
    }
}
