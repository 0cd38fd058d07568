//! The committed documents, which the build compresses, and the part of the OpenAPI document for a
//! listener.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ListenerSurface;

/// `docs/openapi.json` as gzip.
pub(crate) static DOCUMENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));
/// `config.schema.json` as gzip.
pub(crate) static SETTINGS_SCHEMA: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/config.schema.json.gz"));

const OF_ONE_LISTENER: &str = "This document describes this listener. Other listeners of the server may \
    serve more; `latchkey openapi` prints the full document.\n\n";

const REFERENCE: &str = "\"#/components/schemas/";

/// Indented JSON with a newline at the end.
#[must_use]
pub fn openapi_document() -> String {
    decompressed(DOCUMENT)
}

/// The JSON Schema of config.yaml, as indented JSON with a newline at the end.
#[must_use]
pub fn settings_schema() -> String {
    decompressed(SETTINGS_SCHEMA)
}

fn decompressed(file: &[u8]) -> String {
    let mut text = String::new();
    // Cannot fail: the build has compressed a text.
    let _ = GzDecoder::new(file).read_to_string(&mut text);
    text
}

/// The paths of a listener, and the schemas and tags that they use.
pub(crate) fn document_of(surface: ListenerSurface) -> String {
    let whole = openapi_document();
    if surface.public && surface.admin { whole } else { part(&whole, surface).unwrap_or(whole) }
}

/// Keeps the order of the members. `RawValue` keeps the text of the parts that are not changed.
#[derive(Serialize, Deserialize)]
struct EmbeddedDocument<'a> {
    #[serde(borrow)]
    openapi: &'a RawValue,
    info: Info<'a>,
    paths: Named<'a>,
    servers: Vec<&'a RawValue>,
    tags: Vec<&'a RawValue>,
    components: Components<'a>,
}

type Named<'a> = BTreeMap<&'a str, &'a RawValue>;

#[derive(Serialize, Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    title: &'a RawValue,
    description: String,
    license: &'a RawValue,
    version: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Components<'a> {
    #[serde(borrow)]
    schemas: Named<'a>,
    security_schemes: Named<'a>,
}

#[derive(Deserialize)]
struct EmbeddedOperation<'a> {
    #[serde(borrow)]
    tags: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Tag<'a> {
    name: &'a str,
}

fn part(whole: &str, surface: ListenerSurface) -> serde_json::Result<String> {
    let mut document: EmbeddedDocument<'_> = serde_json::from_str(whole)?;
    document.info.description.insert_str(0, OF_ONE_LISTENER);
    // The first server is this listener.
    document.servers.truncate(1);
    document.paths.retain(|path, _| surface.serves(path));

    let mut tags = BTreeSet::new();
    for methods in document.paths.values() {
        let methods: BTreeMap<&str, EmbeddedOperation<'_>> = serde_json::from_str(methods.get())?;
        tags.extend(methods.into_values().flat_map(|operation| operation.tags));
    }
    document.tags.retain(|tag| serde_json::from_str(tag.get()).is_ok_and(|Tag { name }| tags.contains(name)));

    let Components { schemas, security_schemes } = &mut document.components;
    let mut named = BTreeSet::new();
    for methods in document.paths.values() {
        note_schemas(methods.get(), schemas, &mut named);
    }
    schemas.retain(|name, _| named.contains(name));
    security_schemes.retain(|name, _| {
        let name = format!("\"{name}\":");
        document.paths.values().any(|methods| methods.get().contains(&name))
    });

    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

/// Adds the schemas that a text refers to, and recursively the schemas that those refer to.
fn note_schemas<'a>(text: &'a str, schemas: &Named<'a>, named: &mut BTreeSet<&'a str>) {
    for rest in text.split(REFERENCE).skip(1) {
        let Some((name, _)) = rest.split_once('"') else { continue };
        if named.insert(name)
            && let Some(schema) = schemas.get(name)
        {
            note_schemas(schema.get(), schemas, named);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn partial_document_is_an_excerpt_without_dangling_references() {
        let whole: Value = serde_json::from_str(&openapi_document()).unwrap();
        let all = part(&openapi_document(), ListenerSurface::new(true, true)).unwrap();
        let all: Value = serde_json::from_str(&all).unwrap();
        for member in ["openapi", "paths", "tags", "components"] {
            assert!(all[member] == whole[member], "{member}");
        }
        for (public, admin) in [(true, false), (false, true)] {
            let text = document_of(ListenerSurface::new(public, admin));
            let document: Value = serde_json::from_str(&text).unwrap();
            // Except for the description and the ends of lists, each line is also in the whole
            // document.
            let whole = openapi_document();
            let lines: BTreeSet<_> = whole.lines().map(|line| line.trim_end_matches(',')).collect();
            let others = text.lines().filter(|line| !lines.contains(line.trim_end_matches(','))).count();
            assert_eq!(others, 1, "{public} {admin}");
            for name in text.split(REFERENCE).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(document["components"]["schemas"][name].is_object(), "{name}");
            }
        }
    }
}
