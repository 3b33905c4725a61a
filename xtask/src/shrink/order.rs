//! Brotli finds again what it has just seen more cheaply than what is far away, so functions that are
//! alike stand side by side: each is followed by the one that shares the most with it and
//! those before it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;

use anyhow::Result;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{Module, NameMap, NameSection};
use wasmparser::{CustomSectionReader, Parser};

use super::wasm;

/// So many bytes in a row are one feature of a function.
const SHINGLE: usize = 4;

/// A function goes with so many before it.
const NEAR: usize = 4;

/// What more functions share than this says nothing of any two.
const COMMON: usize = 200;

/// The module with names that sort its functions by likeness. Nothing else changes: it is for wasm-opt to
/// put them in the order of their names.
pub(super) fn named_by_likeness(module: &[u8]) -> Result<Vec<u8>> {
    let functions = wasm::functions(module)?;
    let mut ranks = BTreeMap::new();
    for (rank, place) in (0_u32..).zip(by_likeness(&functions.bodies)) {
        ranks.insert(functions.imported + u32::try_from(place)?, rank);
    }

    let mut names = NameMap::new();
    for (index, rank) in ranks {
        names.append(index, &format!("{rank:08}"));
    }
    let mut section = NameSection::new();
    section.functions(&names);
    let mut named = Module::new();
    WithoutCustom.parse_core_module(&mut named, Parser::new(0), module)?;
    named.section(&section);
    Ok(named.finish())
}

struct WithoutCustom;

impl Reencode for WithoutCustom {
    type Error = Infallible;

    fn parse_custom_section(
        &mut self,
        _: &mut Module,
        _: CustomSectionReader<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        Ok(())
    }
}

/// The places of the bodies, like after like, beginning with the longest.
fn by_likeness(bodies: &[&[u8]]) -> Vec<usize> {
    let shingles: Vec<BTreeSet<&[u8]>> = bodies.iter().map(|body| body.windows(SHINGLE).collect()).collect();
    let mut sharing: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (place, features) in shingles.iter().enumerate() {
        for feature in features {
            sharing.entry(feature).or_default().push(place);
        }
    }
    sharing.retain(|_, places| (2..=COMMON).contains(&places.len()));

    let mut left: BTreeSet<usize> = (0..bodies.len()).collect();
    let mut order = Vec::with_capacity(bodies.len());
    let mut next = left.iter().copied().max_by_key(|place| bodies.get(*place).map_or(0, |body| body.len()));
    while let Some(place) = next {
        left.remove(&place);
        order.push(place);
        let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
        let last = order.iter().rev().take(NEAR).filter_map(|place| shingles.get(*place)).flatten();
        for places in last.filter_map(|feature| sharing.get(feature)) {
            // What few have in common binds them more.
            let weight = 1.0 / count(places.len()).sqrt();
            for other in places.iter().filter(|other| left.contains(other)) {
                *shared.entry(*other).or_default() += weight;
            }
        }
        let likeness = |(other, shared): &(usize, f64)| {
            shared / (count(shingles.get(*other).map_or(0, BTreeSet::len)) + 20.0)
        };
        next = shared
            .into_iter()
            .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
            .map(|(place, _)| place)
            .or_else(|| left.first().copied());
    }
    order
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_follows_like_and_nobody_is_lost() {
        let bodies: [&[u8]; 5] = [
            b"one two three four five",
            b"alpha beta gamma delta epsilon zeta",
            b"one two three four six",
            b"alpha beta gamma delta eta",
            b"",
        ];
        assert_eq!(by_likeness(&bodies), [1, 3, 0, 2, 4]);
        assert!(by_likeness(&[]).is_empty());
    }
}
