//! The bill of materials in CycloneDX 1.5: the program's crates and their dependencies, without those of
//! tests and of building.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The bill of materials from cargo's metadata. It contains all key services, like the packages.
pub(super) fn of(metadata: &Value, version: &str) -> Value {
    let packages: BTreeMap<&str, &Value> =
        list(&metadata["packages"]).filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let edges: BTreeMap<&str, Vec<&str>> = list(&metadata["resolve"]["nodes"])
        .filter_map(|node| Some((node["id"].as_str()?, shipped(node))))
        .collect();
    let root = packages.iter().find(|(_, package)| package["name"] == "latchkey").map_or("", |(id, _)| *id);
    let mut reached = BTreeSet::new();
    let mut next = vec![root];
    while let Some(id) = next.pop() {
        if reached.insert(id) {
            next.extend(edges.get(id).into_iter().flatten());
        }
    }
    let reference = |id: &str| packages.get(id).map_or(String::new(), |package| purl(package));
    let components = reached.iter().filter(|id| **id != root).filter_map(|id| packages.get(id));
    let dependencies = reached.iter().map(|id| {
        let on: Vec<String> = edges.get(id).into_iter().flatten().map(|id| reference(id)).collect();
        json!({ "ref": reference(id), "dependsOn": on })
    });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": reference(root), "name": "latchkey", "version": version,
        } },
        "components": components.map(|package| component(package)).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    })
}

/// Normal dependencies have no kind.
fn shipped(node: &Value) -> Vec<&str> {
    let is_normal = |dependency: &&Value| list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
    list(&node["deps"]).filter(is_normal).filter_map(|dependency| dependency["pkg"].as_str()).collect()
}

fn component(package: &Value) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    });
    if let Some(licence) = package["license"].as_str() {
        // Crates before 2018 wrote a slash for OR.
        component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    component
}

fn purl(package: &Value) -> String {
    let text = |name: &str| package[name].as_str().unwrap_or_default().replace('+', "%2B");
    format!("pkg:cargo/{}@{}", text("name"), text("version"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_packages_are_listed_with_dependencies() {
        let package = |id: &str, name: &str, licence: &str| json!({ "id": id, "name": name, "version": "1.0.0+x", "license": licence });
        let on = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [
                package("l", "latchkey", "Apache-2.0"), package("a", "anyhow", "MIT/Apache-2.0"),
                package("b", "base64", "MIT"), package("t", "tester", "MIT"),
            ],
            "resolve": { "nodes": [
                { "id": "l", "deps": [on("a", Value::Null), on("b", Value::Null), on("t", json!("dev"))] },
                { "id": "a", "deps": [on("b", Value::Null)] },
                { "id": "b", "deps": [] }, { "id": "t", "deps": [] },
            ] },
        });
        let sbom = of(&metadata, "1.0.0");
        let names: Vec<&Value> = list(&sbom["components"]).map(|component| &component["name"]).collect();
        assert_eq!(names, ["anyhow", "base64"]);
        assert_eq!(sbom["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(sbom["components"][0]["purl"], "pkg:cargo/anyhow@1.0.0%2Bx");
        let latchkey =
            list(&sbom["dependencies"]).find(|entry| entry["ref"] == "pkg:cargo/latchkey@1.0.0%2Bx");
        assert_eq!(latchkey.unwrap()["dependsOn"].as_array().unwrap().len(), 2);
    }
}
