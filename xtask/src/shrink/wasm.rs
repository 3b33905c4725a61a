//! What a wasm module says of its functions.

use std::collections::HashMap;

use anyhow::{Context, Result};
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// The functions of a module, in its order, without those that it imports.
pub(super) struct Functions<'a> {
    /// How many functions come before them, imported.
    pub(super) imported: u32,
    /// The code of each, its length not counted.
    pub(super) bodies: Vec<&'a [u8]>,
    /// What the name section calls each, by its index.
    pub(super) names: HashMap<u32, String>,
}

pub(super) fn functions(module: &[u8]) -> Result<Functions<'_>> {
    let mut functions = Functions { imported: 0, bodies: Vec::new(), names: HashMap::new() };
    for payload in Parser::new(0).parse_all(module) {
        match payload.context("this is no readable wasm")? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if matches!(import?.ty, TypeRef::Func(_)) {
                        functions.imported += 1;
                    }
                }
            }
            Payload::CodeSectionEntry(body) => functions.bodies.push(body.as_bytes()),
            Payload::CustomSection(section) => {
                let KnownCustom::Name(names) = section.as_known() else { continue };
                for name in names {
                    let Name::Function(map) = name? else { continue };
                    for naming in map {
                        let naming = naming?;
                        functions.names.insert(naming.index, naming.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(functions)
}

impl Functions<'_> {
    /// What this function is called, without the hashes of crates: `core[0123…]::fmt` is `core::fmt`. They
    /// are up to 16 digits without zeros before them; types like `[f32]` look alike but are short.
    pub(super) fn plain_name(&self, place: usize) -> String {
        let index = u32::try_from(place).map_or(u32::MAX, |place| self.imported.saturating_add(place));
        let mut plain = String::new();
        let mut rest = self.names.get(&index).map_or("", String::as_str);
        while let Some((before, after)) = rest.split_once('[') {
            plain.push_str(before);
            match after.split_once(']') {
                Some((hash, after))
                    if (9..=16).contains(&hash.len())
                        && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
                {
                    rest = after;
                }
                _ => {
                    plain.push('[');
                    rest = after;
                }
            }
        }
        plain + rest
    }
}
