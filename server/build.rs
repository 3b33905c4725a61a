//! The page is embedded at compile time; a new page is a new program.
fn main() {
    println!("cargo:rerun-if-changed=../target/page");
    println!("cargo:rerun-if-changed=migrations");
}
