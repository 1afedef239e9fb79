//! The bill of materials of one package's program, in the form of `CycloneDX`: no time and no number of its own, so
//! that the same sources give the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{BUILT_IN, Resolved, text};

/// The document, as text.
pub(crate) fn text_of(sources: &Path, target: &str) -> String {
    let resolved = Resolved::of(sources, &[target]);
    let lock = std::fs::read_to_string(sources.join("Cargo.lock")).expect("it is there");
    let document = document(&resolved, &checksums(&lock), target);
    format!("{}\n", serde_json::to_string_pretty(&document).expect("it is JSON"))
}

fn document(resolved: &Resolved, checksums: &BTreeMap<String, String>, target: &str) -> Value {
    let own = &resolved.packages[&resolved.root];
    let others = resolved.needs.keys().filter(|id| **id != resolved.root);
    let crates = others.map(|id| {
        let package = &resolved.packages[id];
        let mut entry = entry(package, "library");
        let checksum =
            &checksums[&format!("{} {}", text(&package["name"]), text(&package["version"]))];
        entry["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
        entry
    });
    let built_in =
        BUILT_IN.iter().filter(|(_, _, file)| target.ends_with("musl") || *file != "musl");
    let built_in = built_in.map(|(_, licence, file)| {
        json!({ "type": "library", "name": file, "licenses": [{ "expression": licence }] })
    });
    let needs = resolved.needs.iter().map(|(id, needs)| {
        let needs: Vec<String> = needs.iter().map(|need| purl(&resolved.packages[need])).collect();
        json!({ "ref": purl(&resolved.packages[id]), "dependsOn": needs })
    });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": entry(own, "application"),
            "properties": [{ "name": "target", "value": target }],
        },
        "components": crates.chain(built_in).collect::<Vec<_>>(),
        "dependencies": needs.collect::<Vec<_>>(),
    })
}

fn entry(package: &Value, kind: &str) -> Value {
    json!({
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "licenses": [{ "expression": super::licence(package) }],
        "purl": purl(package),
    })
}

fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]))
}

/// The checksums of Cargo.lock, by name and version.
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let blocks = lock.split("[[package]]").skip(1);
    let value = |block: &str, key: &str| {
        let mut lines = block.lines().filter_map(|line| line.strip_prefix(key));
        lines.next().map(|rest| rest.trim_start_matches(" = ").trim_matches('"').to_owned())
    };
    blocks
        .filter_map(|block| {
            let title = format!("{} {}", value(block, "name")?, value(block, "version")?);
            Some((title, value(block, "checksum")?))
        })
        .collect()
}
