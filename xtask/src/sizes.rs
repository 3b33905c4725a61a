//! What a browser downloads, packed with brotli as the server sends it, and how much that may be.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail, ensure};

/// The Security page's document: whoever signs in waits for it.
const PAGE_BYTES: u64 = 150_000;
/// The PoP module: every page of whoever adopts it carries it.
const MODULE_BYTES: u64 = 30_000;

/// Refuses a page or a package of the module that has grown beyond what it may have.
pub(crate) fn check(page: &Path, module: &Path) -> Result<()> {
    let over = [
        over("the Security page", packed(page, &["wasm", "js", "css"])?, PAGE_BYTES),
        over("the PoP module", packed(module, &["wasm", "js", "mjs"])?, MODULE_BYTES),
    ];
    let over: Vec<String> = over.into_iter().flatten().collect();
    if !over.is_empty() {
        bail!("a browser has to download too much: {}", over.join("; "));
    }
    Ok(())
}

fn over(what: &str, bytes: u64, at_most: u64) -> Option<String> {
    (bytes > at_most).then(|| format!("{what} has {bytes} bytes of brotli and may have {at_most}"))
}

/// The sum over the `.br` files beside files with these endings.
fn packed(folder: &Path, endings: &[&str]) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if endings.iter().any(|ending| name.ends_with(&format!(".{ending}.br"))) {
            sum += entry.metadata()?.len();
        }
    }
    ensure!(sum > 0, "nothing is packed in {}", folder.display());
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_grown_too_large_is_said_and_what_has_not_is_not() {
        assert_eq!(over("the PoP module", 30_000, MODULE_BYTES), None);
        let said = over("the PoP module", 30_001, MODULE_BYTES);
        assert_eq!(said.as_deref(), Some("the PoP module has 30001 bytes of brotli and may have 30000"));
    }
}
