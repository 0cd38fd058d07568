//! Prints a generated file, for `cargo xtask codegen`. This is an example, because the program itself
//! contains only the committed file.

#![expect(clippy::print_stdout, reason = "it is what the command line asks for")]

fn main() {
    let text = match std::env::args().nth(1).as_deref() {
        Some("config.schema.json") => settings::schema(),
        Some("docs/openapi.json") => gateway::openapi_of_types(),
        Some("crates/administration/src/documents/shapes.json") => administration::documents::shapes(),
        Some("crates/gateway/src/documents/shapes.json") => gateway::shapes(),
        other => panic!("{other:?} is no generated file"),
    };
    print!("{text}");
}
