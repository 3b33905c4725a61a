//! Seals the page that Trunk wrote: the style sheets become one; every script, style sheet and wasm file carries its hash, every
//! inline script the nonce's placeholder, and what the Content-Security-Policy would refuse is refused
//! here already.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha384};

/// The server puts the response's nonce in its place.
const NONCE: &str = r#" nonce="{{__TRUNK_NONCE__}}""#;
/// Trunk.toml leaves these for the hashes, which only exist once Trunk is done.
const OF_FILE: &str = "integrity-of:";
const OF_SCRIPTS: &str = "\"integrity-of-scripts\"";

/// `folder` is where its files are found under the page's root, with a slash at its end, or empty.
pub(crate) fn seal(dist: &Path, folder: &str) -> Result<()> {
    let index = dist.join("index.html");
    let html = fs::read_to_string(&index).context("Trunk wrote no index.html")?;

    let html = join_sheets(dist, folder, html)?;
    let files = files(dist)?;
    let html = fill(&html, |name| {
        let content = fs::read(dist.join(name));
        Ok(integrity(&content.with_context(|| format!("the page names {name}, which Trunk did not write"))?))
    })?;
    let html = html.replace(OF_SCRIPTS, &integrity_of_scripts(dist, folder, &files)?);
    check(&html)?;
    fs::write(&index, html).context("cannot write the sealed index.html")
}

/// Gives every file of the page its brotli twin, but for index.html: it differs with each response.
pub(crate) fn compress_all(dist: &Path) -> Result<()> {
    let files = files(dist)?;
    files
        .iter()
        .filter(|file| has_extension(file, &["js", "wasm", "css", "svg"]))
        .try_for_each(|file| compress(file))
}

/// Each slice has its style sheet; the page loads one, which is smaller and comes at once.
fn join_sheets(dist: &Path, folder: &str, mut html: String) -> Result<String> {
    let links: Vec<String> =
        tags(&html).filter(|tag| tag.starts_with(r#"<link rel="stylesheet""#)).map(str::to_owned).collect();
    let mut joined = String::new();
    for link in &links {
        let name = between(link, &["href=\"/", folder].concat(), "\"")
            .with_context(|| format!("`{link}` names no file"))?;
        let sheet = dist.join(name);
        joined.push_str(&fs::read_to_string(&sheet).with_context(|| format!("cannot read {name}"))?);
        fs::remove_file(sheet)?;
    }
    let name = format!("styles-{}.css", short_hash(joined.as_bytes()));
    fs::write(dist.join(&name), joined)?;
    let mut one = format!(r#"<link rel="stylesheet" href="/{folder}{name}" integrity="{OF_FILE}{name}">"#);
    for link in &links {
        html = html.replacen(link, &std::mem::take(&mut one), 1);
    }
    Ok(html)
}

/// What stands between two marks.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// For the name of a file, as Trunk writes it.
pub(crate) fn short_hash(content: &[u8]) -> String {
    Sha384::digest(content).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Puts its integrity after each name that the page asks one for.
fn fill(html: &str, integrity_of: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut parts = html.split(OF_FILE);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find('"').context("index.html has an integrity without a closing quote")?;
        let (name, rest) = part.split_at(end);
        filled.push_str(&integrity_of(name)?);
        filled.push_str(rest);
    }
    Ok(filled)
}

/// The import map's part: it holds for scripts that are imported by other scripts, too.
fn integrity_of_scripts(dist: &Path, folder: &str, files: &[PathBuf]) -> Result<String> {
    let mut scripts = Map::new();
    for file in files.iter().filter(|file| has_extension(file, &["js", "mjs"])) {
        let name = file.strip_prefix(dist)?.to_str().context("a script's name is not UTF-8")?;
        scripts.insert(format!("/{folder}{name}"), Value::String(integrity(&fs::read(file)?)));
    }
    Ok(Value::Object(scripts).to_string())
}

/// What must hold for every page that is published, however Trunk.toml and index.html change.
fn check(html: &str) -> Result<()> {
    if html.contains("integrity-of") || html.contains("data-trunk") {
        bail!(
            "the page still holds a mark that was to be replaced; compare Trunk.toml with xtask/src/seal.rs"
        );
    }
    if !html.contains(r#", { integrity: "sha384-"#) {
        bail!("the page fetches its wasm without an integrity; give it back to the fetch in Trunk.toml");
    }
    for tag in tags(html) {
        let lacks = |needle: &str| !tag.contains(needle);
        if tag.starts_with("<script") && lacks(NONCE) {
            bail!("`{tag}` has no nonce, so no browser would run it; add{NONCE}");
        }
        if tag.starts_with("<script") && tag.contains(" src=") && lacks("integrity=\"sha384-") {
            bail!("`{tag}` has no integrity; import it from the module in Trunk.toml instead");
        }
        if tag.starts_with("<link") && tag.contains("stylesheet") && lacks("integrity=\"sha384-") {
            bail!("`{tag}` has no integrity; link style sheets with data-trunk");
        }
        if tag.starts_with("<link") && tag.contains("wasm") {
            bail!("`{tag}` would download the wasm unchecked; only the fetch in Trunk.toml may load it");
        }
        if tag.starts_with("<style") || tag.contains(" style=") {
            bail!("`{tag}` is an inline style, which the Content-Security-Policy refuses; use styles/");
        }
        if tag.split_whitespace().any(|word| word.starts_with("on") && word.contains("=\"")) {
            bail!("`{tag}` is an inline handler, which the Content-Security-Policy refuses");
        }
    }
    Ok(())
}

/// Opening tags. Scripts of the page hold no `<` followed by a letter, or they would be seen here.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.match_indices('<').filter_map(|(start, _)| {
        let tag = &html[start..];
        tag[1..].starts_with(|first: char| first.is_ascii_alphabetic()).then_some(())?;
        Some(&tag[..=tag.find('>')?])
    })
}

fn integrity(content: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(content)))
}

/// A brotli twin beside the file.
pub(crate) fn compress(file: &Path) -> Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".br");
    let mut twin = brotli::CompressorWriter::new(fs::File::create(&name)?, 1 << 16, 11, 22);
    twin.write_all(&fs::read(file)?)?;
    twin.flush()?;
    Ok(())
}

/// Every file of the page, in an order that does not change.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension().and_then(|extension| extension.to_str()).is_some_and(|it| extensions.contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<head>
<script type="importmap" nonce="{{__TRUNK_NONCE__}}">{"integrity": {}}</script>
<link rel="stylesheet" href="/base.css" integrity="sha384-AAAA"/>
</head><script type="module" nonce="{{__TRUNK_NONCE__}}">
fetch("/web_bg.wasm", { integrity: "integrity-of:web_bg.wasm" })
</script>"#;

    fn sealed(page: &str) -> String {
        fill(page, |name| Ok(integrity(name.as_bytes()))).unwrap()
    }

    #[test]
    fn each_name_is_replaced_by_its_hash() {
        let html = sealed(r#"<a integrity="integrity-of:one.js"><b integrity="integrity-of:two.js">"#);
        let (one, two) = (integrity(b"one.js"), integrity(b"two.js"));
        assert_eq!(html, format!(r#"<a integrity="{one}"><b integrity="{two}">"#));
    }

    #[test]
    fn an_integrity_is_what_browsers_expect() {
        let empty = "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb";
        assert_eq!(integrity(b""), empty);
    }

    #[test]
    fn a_file_that_is_not_there_is_refused() {
        assert!(fill(PAGE, |name| bail!("no {name}")).is_err());
    }

    #[test]
    fn the_style_sheets_become_one_in_their_order() {
        let dist = tempfile::tempdir().unwrap();
        fs::write(dist.path().join("one.css"), "a{}").unwrap();
        fs::write(dist.path().join("two.css"), "b{}").unwrap();
        let html = r#"<link rel="stylesheet" href="/one.css" integrity="x"/>
<link rel="stylesheet" href="/two.css"/><p>"#;
        let html = join_sheets(dist.path(), "", html.to_owned()).unwrap();
        let name = between(&html, "href=\"/", "\"").unwrap();
        assert_eq!(
            html,
            format!("<link rel=\"stylesheet\" href=\"/{name}\" integrity=\"{OF_FILE}{name}\">\n<p>")
        );
        assert_eq!(fs::read_to_string(dist.path().join(name)).unwrap(), "a{}b{}");
        assert_eq!(files(dist.path()).unwrap().len(), 1);
    }

    #[test]
    fn a_sealed_page_passes() {
        check(&sealed(PAGE)).unwrap();
    }

    #[test]
    fn a_page_that_is_not_sealed_or_breaks_the_policy_is_refused() {
        let wasm = r#", { integrity: "integrity-of:web_bg.wasm" }"#;
        let spoilt = [
            (PAGE.to_owned(), "a mark"),
            (sealed(PAGE).replace(" nonce=", " data-nonce="), "no nonce"),
            (sealed(PAGE).replace(r#" integrity="sha384-AAAA""#, ""), "no integrity"),
            (sealed(&PAGE.replace(wasm, "")), "without an integrity"),
            (sealed(PAGE).replace("<head>", r#"<head style="color: red">"#), "inline style"),
            (sealed(PAGE).replace("<head>", r#"<head onload="x()">"#), "inline handler"),
            (sealed(PAGE).replace("<head>", r#"<link rel="preload" href="/web_bg.wasm">"#), "unchecked"),
        ];
        for (page, why) in spoilt {
            let error = check(&page).unwrap_err().to_string();
            assert!(error.contains(why), "{why}: {error}");
        }
    }

    #[test]
    fn trunk_toml_and_both_documents_ask_for_what_is_replaced_here() {
        let trunk = include_str!("../../Trunk.toml");
        assert!(trunk.contains(OF_SCRIPTS) && trunk.contains(OF_FILE) && trunk.contains(NONCE));
        for html in [include_str!("../../index.html"), include_str!("../../console.html")] {
            for id in ["boot", "boot-altered", "boot-stopped", "boot-unable"] {
                assert!(
                    html.contains(&format!("id=\"{id}\"")) && trunk.contains(&format!("\"{id}\"")),
                    "{id}"
                );
            }
        }
    }
}
