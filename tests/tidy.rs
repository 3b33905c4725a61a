//! The architecture's rules, held by tests: ARCHITECTURE.md says why, and a rule that no test holds
//! will rot. Every rule looks at the source tree and lists its breaches; beside each stands a small
//! bad example that proves it can fail.

#[path = "tidy/endpoints.rs"]
mod endpoints;
#[path = "tidy/habits.rs"]
mod habits;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/manifest.rs"]
mod manifest;
#[path = "tidy/owners.rs"]
mod owners;
#[path = "tidy/rust.rs"]
mod rust;
#[path = "tidy/slices.rs"]
mod slices;
#[path = "tidy/tree.rs"]
mod tree;

use std::io;

use tree::File;

#[test]
fn every_thing_has_one_owner() -> io::Result<()> {
    hold(owners::breaches)
}

#[test]
fn crates_are_layers() -> io::Result<()> {
    hold(layers::missing_edges_stay_missing)
}

#[test]
fn the_module_stays_small() -> io::Result<()> {
    hold(layers::the_module_stays_small)
}

#[test]
fn every_dependency_has_a_reason() -> io::Result<()> {
    hold(layers::every_dependency_has_a_reason)
}

#[test]
fn packages_come_from_the_public_registries() -> io::Result<()> {
    hold(layers::packages_come_from_the_public_registries)
}

#[test]
fn slices_do_not_import_one_another() -> io::Result<()> {
    hold(slices::do_not_import_one_another)
}

#[test]
fn slices_have_equal_names_in_every_crate() -> io::Result<()> {
    hold(slices::have_equal_names_in_every_crate)
}

#[test]
fn every_endpoint_is_mounted() -> io::Result<()> {
    hold(endpoints::are_mounted)
}

#[test]
fn every_endpoint_is_documented() -> io::Result<()> {
    hold(endpoints::are_documented)
}

#[test]
fn every_endpoint_is_exercised_end_to_end() -> io::Result<()> {
    hold(endpoints::are_exercised)
}

#[test]
fn files_are_short() -> io::Result<()> {
    hold(habits::files_are_short)
}

#[test]
fn names_say_what_is_inside() -> io::Result<()> {
    hold(habits::names_say_what_is_inside)
}

#[test]
fn nothing_is_left_unfinished() -> io::Result<()> {
    hold(habits::nothing_is_left_unfinished)
}

#[test]
fn nothing_names_somebodys_machine() -> io::Result<()> {
    hold(habits::nothing_names_somebodys_machine)
}

#[test]
fn the_documents_are_there() -> io::Result<()> {
    hold(habits::the_documents_are_there)
}

fn hold(rule: impl Fn(&[File]) -> Vec<String>) -> io::Result<()> {
    let breaches = rule(&tree::files()?);
    assert!(breaches.is_empty(), "\n  {}\n", breaches.join("\n  "));
    Ok(())
}
