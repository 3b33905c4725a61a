//! As much of a Cargo.toml as the rules need.

/// One line below a table of dependencies.
#[derive(Debug)]
pub(crate) struct Dependency<'text> {
    /// `dependencies`, `dev-dependencies`, `workspace.dependencies`, …
    pub(crate) table: &'text str,
    pub(crate) name: &'text str,
    pub(crate) line: usize,
    /// Everything after the name.
    pub(crate) value: &'text str,
    /// Whether a comment stands beside it, or above the group of lines that it belongs to.
    pub(crate) has_reason: bool,
}

impl Dependency<'_> {
    /// Whether what ships depends on it.
    pub(crate) fn is_normal(&self) -> bool {
        !self.table.contains("dev-dependencies") && !self.table.contains("build-dependencies")
    }
}

pub(crate) fn dependencies(manifest: &str) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    let (mut table, mut group_has_reason) = ("", false);
    for (line, number) in manifest.lines().map(str::trim).zip(1..) {
        if line.is_empty() {
            group_has_reason = false;
        } else if line.starts_with('#') {
            group_has_reason = true;
        } else if let Some(header) = line.strip_prefix('[').and_then(|header| header.split_once(']')) {
            table = header.0.trim_start_matches('[');
            group_has_reason = false;
        } else if let Some((name, value)) = line.split_once(['=', '.'])
            && table.ends_with("dependencies")
        {
            let has_reason = group_has_reason || value.contains(" #");
            found.push(Dependency { table, name: name.trim(), line: number, value, has_reason });
        }
    }
    found
}

#[test]
fn dependencies_are_read_with_their_reasons() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\n# why\nserde = \"1\"\nurl.workspace = true\n\n\
                    http = \"1\" # beside\n\n[dev-dependencies]\nnone = \"1\"\n";
    let read: Vec<_> = dependencies(manifest)
        .iter()
        .map(|found| (found.name, found.has_reason, found.is_normal()))
        .collect();
    assert_eq!(
        read,
        [("serde", true, true), ("url", true, true), ("http", true, true), ("none", false, false)]
    );
}
