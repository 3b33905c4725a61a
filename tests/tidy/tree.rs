use std::path::{Path, PathBuf};
use std::{fs, io};

/// A text file of the project, its path from the root with `/`.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the path fits a pattern in which one `*` stands for anything.
    pub(crate) fn fits(&self, pattern: &str) -> bool {
        match pattern.split_once('*') {
            None => self.path == pattern,
            Some((start, end)) => {
                self.path.len() >= start.len() + end.len()
                    && self.path.starts_with(start)
                    && self.path.ends_with(end)
            }
        }
    }
}

/// Every text file of the project, without what .gitignore leaves out.
pub(crate) fn files() -> io::Result<Vec<File>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ignored = fs::read_to_string(root.join(".gitignore"))?;
    let ignored: Vec<&str> = ignored.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let name = path.to_string_lossy().replace('\\', "/");
            if is_ignored(&name, &ignored) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                files.push(File { path: name, text });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// `/name` leaves out a file or folder of the root, `name` one anywhere (gitignore(5), as far as this
/// project uses it); git's own folder is nobody's source.
fn is_ignored(path: &str, ignored: &[&str]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path == ".git"
        || ignored.iter().map(|pattern| pattern.trim_end_matches('/')).any(|pattern| {
            match pattern.strip_prefix('/') {
                Some(of_root) => path == of_root,
                None => name == pattern || pattern.strip_prefix('*').is_some_and(|end| name.ends_with(end)),
            }
        })
}

/// A tree of one's own, for showing that a rule can fail.
pub(crate) fn example(files: &[(&str, &str)]) -> Vec<File> {
    files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect()
}

#[test]
fn the_tree_holds_this_file_and_nothing_ignored() {
    let files = files().unwrap();
    assert!(files.iter().any(|file| file.path == "tests/tidy/tree.rs"));
    assert!(files.iter().all(|file| !file.path.starts_with("target/") && !file.path.starts_with(".git/")));
    assert!(is_ignored("target", &["/target"]) && !is_ignored("web/target", &["/target"]));
    assert!(is_ignored("pop-wasm/node_modules", &["node_modules"]) && is_ignored("a/b.log", &["*.log"]));
}
