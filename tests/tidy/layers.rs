//! Crates are layers: an edge that is missing here must not be in a Cargo.toml.

use crate::manifest::dependencies;
use crate::tree::File;
#[cfg(test)]
use crate::tree::example;

struct Layer {
    manifest: &'static str,
    /// The crates of ours that what ships may depend on.
    may_use: &'static [&'static str],
    /// And those that only its tests may.
    in_tests: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer { manifest: "protocol/Cargo.toml", may_use: &[], in_tests: &[] },
    Layer { manifest: "relying-party/Cargo.toml", may_use: &[], in_tests: &[] },
    Layer { manifest: "pop-wasm/Cargo.toml", may_use: &["holdfast-protocol"], in_tests: &[] },
    Layer { manifest: "web/Cargo.toml", may_use: &["holdfast-protocol", "holdfast-pop"], in_tests: &[] },
    Layer {
        manifest: "server/Cargo.toml",
        may_use: &["holdfast-protocol", "holdfast-relying-party"],
        in_tests: &["holdfast-tests"],
    },
    Layer {
        manifest: "tests/Cargo.toml",
        may_use: &["holdfast-server", "holdfast-protocol"],
        in_tests: &["holdfast-relying-party"],
    },
    // A workspace of its own, above what it decodes; nothing is above it.
    Layer {
        manifest: "fuzz/Cargo.toml",
        may_use: &["holdfast-protocol", "holdfast-relying-party"],
        in_tests: &[],
    },
    Layer { manifest: "xtask/Cargo.toml", may_use: &["holdfast-protocol"], in_tests: &[] },
];

pub(crate) fn missing_edges_stay_missing(files: &[File]) -> Vec<String> {
    let mut breaches = Vec::new();
    for manifest in files.iter().filter(|file| file.fits("*/Cargo.toml")) {
        let Some(layer) = LAYERS.iter().find(|layer| layer.manifest == manifest.path) else {
            breaches.push(format!("{}: a crate without its place among the layers", manifest.path));
            continue;
        };
        for edge in dependencies(&manifest.text) {
            let allowed = layer.may_use.contains(&edge.name)
                || (!edge.is_normal() && layer.in_tests.contains(&edge.name));
            if edge.name.starts_with("holdfast") && !allowed {
                breaches.push(format!("{}:{}: not above {}", manifest.path, edge.line, edge.name));
            }
        }
    }
    breaches
}

/// The shipped module has no JSON library, no P-256 of its own and no interface framework.
pub(crate) fn the_module_stays_small(files: &[File]) -> Vec<String> {
    const HEAVY: [&str; 6] = ["serde", "serde_json", "p256", "yew", "gloo-net", "serde-wasm-bindgen"];
    let manifests = files.iter().filter(|file| file.path == "pop-wasm/Cargo.toml");
    let heavy = manifests.flat_map(|manifest| dependencies(&manifest.text)).filter(|found| found.is_normal());
    heavy
        .filter(|found| {
            let with_json = found.name == "holdfast-protocol" && found.value.contains("wire");
            HEAVY.contains(&found.name) || with_json
        })
        .map(|found| format!("pop-wasm/Cargo.toml:{}: {} makes the module heavy", found.line, found.name))
        .collect()
}

pub(crate) fn every_dependency_has_a_reason(files: &[File]) -> Vec<String> {
    let mut breaches = Vec::new();
    for manifest in files.iter().filter(|file| file.path == "Cargo.toml" || file.fits("*/Cargo.toml")) {
        let bare = dependencies(&manifest.text).into_iter().filter(|found| !found.has_reason);
        // The crates of this workspace are explained by the drawing of the layers.
        let foreign = bare.filter(|found| !found.name.starts_with("holdfast"));
        breaches
            .extend(foreign.map(|found| format!("{}:{}: why {}?", manifest.path, found.line, found.name)));
    }
    breaches
}

/// Lock files name the public registries and no mirror; no settings put one in their place.
pub(crate) fn packages_come_from_the_public_registries(files: &[File]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files {
        let foreign = |line: &str| match file.path.rsplit('/').next() {
            Some("Cargo.lock") => {
                line.starts_with("source = ")
                    && line != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
            }
            Some("package-lock.json") => {
                line.starts_with("\"resolved\": \"http") && !line.contains("\"https://registry.npmjs.org/")
            }
            Some(".npmrc") => line.contains("registry"),
            Some("config.toml") => line.starts_with("[source") || line.starts_with("[registr"),
            _ => false,
        };
        let lines = file.text.lines().map(str::trim).zip(1..).filter(|(line, _)| foreign(line));
        breaches.extend(lines.map(|(line, number)| format!("{}:{number}: {line}", file.path)));
    }
    breaches
}

#[test]
fn an_edge_against_the_layers_is_found() {
    let upward =
        example(&[("protocol/Cargo.toml", "[dependencies]\nholdfast-server = { workspace = true }")]);
    assert_eq!(missing_edges_stay_missing(&upward).len(), 1);
    let shipped = example(&[("server/Cargo.toml", "[dependencies]\nholdfast-tests.workspace = true")]);
    assert_eq!(missing_edges_stay_missing(&shipped).len(), 1);
    let unknown = example(&[("extra/Cargo.toml", "[package]")]);
    assert_eq!(missing_edges_stay_missing(&unknown).len(), 1);
    let right = example(&[("web/Cargo.toml", "[dependencies]\nholdfast-pop.workspace = true")]);
    assert_eq!(missing_edges_stay_missing(&right).len(), 0);
}

#[test]
fn a_heavy_module_is_found() {
    let manifest = "[dependencies]\nholdfast-protocol = { workspace = true, features = [\"wire\"] }\n\
                    serde_json = \"1\"\n[dev-dependencies]\np256 = \"0.14\"";
    assert_eq!(the_module_stays_small(&example(&[("pop-wasm/Cargo.toml", manifest)])).len(), 2);
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let manifest = "[dependencies]\n# reads\nurl = \"2\"\n\nhttp = \"1\"";
    assert_eq!(every_dependency_has_a_reason(&example(&[("web/Cargo.toml", manifest)])).len(), 1);
}

#[test]
fn a_mirror_is_found() {
    let tree = example(&[
        ("Cargo.lock", "source = \"registry+https://mirror.example/index\""),
        ("pop-wasm/package-lock.json", "  \"resolved\": \"https://mirror.example/x.tgz\","),
        (".cargo/config.toml", "[source.crates-io]"),
    ]);
    assert_eq!(packages_come_from_the_public_registries(&tree).len(), 3);
}
