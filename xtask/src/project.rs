//! Where things are: the workspace, and Holdfast's folder in the person's cache directory.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub(crate) struct Project {
    root: PathBuf,
    cache: PathBuf,
}

impl Project {
    pub(crate) fn find() -> Result<Project> {
        // Cargo sets the variable at each `cargo xtask`, so a moved workspace is found again.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("xtask stands in no workspace; call it as `cargo xtask`")?;
        let cache =
            absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache"))).context(
                "neither XDG_CACHE_HOME nor HOME names a folder for Holdfast's tools; set one of them",
            )?;
        Ok(Project { root: root.to_owned(), cache: cache.join("holdfast") })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Tools at the versions Holdfast is built with, apart from whatever the person has installed.
    pub(crate) fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// Cargo's target directory, which the person may have moved.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.path("target"), |dir| self.path(dir))
    }

    /// The finished page. Always here, wherever Cargo's target directory is: the server embeds it.
    pub(crate) fn page(&self) -> PathBuf {
        self.path("target/page")
    }

    /// The version of `package` in Cargo.lock.
    pub(crate) fn locked_version(&self, package: &str) -> Result<String> {
        let lock = std::fs::read_to_string(self.path("Cargo.lock")).context("cannot read Cargo.lock")?;
        version_in_lock(&lock, package).with_context(|| {
            format!(
                "Cargo.lock names no `{package}`, which the page is built with; run `cargo generate-lockfile`"
            )
        })
    }
}

/// The value of an environment variable that names a folder; a relative one is ignored, as the XDG
/// specification asks.
fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn version_in_lock(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.next()?;
    let version = lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
[[package]]
name = "wasm-bindgen-futures"
version = "0.4.80"

[[package]]
name = "wasm-bindgen"
version = "0.2.130"
dependencies = [
 "cfg-if",
]
"#;

    #[test]
    fn the_locked_version_is_of_exactly_that_package() {
        assert_eq!(version_in_lock(LOCK, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in_lock(LOCK, "wasm-bindgen-futures").as_deref(), Some("0.4.80"));
    }

    #[test]
    fn a_package_that_is_not_locked_has_no_version() {
        assert_eq!(version_in_lock(LOCK, "wasm"), None);
        assert_eq!(version_in_lock("name = \"wasm-bindgen\"", "wasm-bindgen"), None);
    }
}
