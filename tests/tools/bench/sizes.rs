//! What a browser downloads, packed with brotli as the server sends it.

use crate::{Aim, Figure, folder};
use anyhow::{Result, ensure};
use std::{fs, path::Path};

pub(crate) fn measure() -> Result<Vec<Figure>> {
    Ok(vec![
        Figure {
            name: "app.brotli_bytes",
            value: packed(&folder("HOLDFAST_PAGE_DIR")?, &["wasm", "js", "css"])?,
            aim: Aim::AtMost(150_000.0),
        },
        Figure {
            name: "console.brotli_bytes",
            value: packed(&folder("HOLDFAST_PAGE_DIR")?.join("console"), &["wasm", "js", "css"])?,
            aim: Aim::None,
        },
        Figure {
            name: "pop.brotli_bytes",
            value: packed(&folder("HOLDFAST_POP_DIR")?, &["wasm", "js", "mjs"])?,
            aim: Aim::AtMost(30_000.0),
        },
    ])
}

/// The sum over the `.br` files beside files with these endings.
fn packed(folder: &Path, endings: &[&str]) -> Result<f64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if endings.iter().any(|ending| name.ends_with(&format!(".{ending}.br"))) {
            sum += fs::metadata(&path)?.len();
        }
    }
    ensure!(sum > 0, "nothing packed in {}", folder.display());
    Ok(f64::from(u32::try_from(sum)?))
}
