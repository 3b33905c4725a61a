//! A panic ends the page's wasm; in the finished page it does so without a word. The words, the places
//! in the source that they name and the code that puts them together are a twentieth of the page, and
//! nobody who uses it can do anything with them. A page built for development keeps them.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::Range;

use anyhow::{Result, bail};
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{CodeSection, Function, Instruction, Module};
use wasmparser::{DataKind, FunctionBody, Operator, Parser, Payload};

use super::wasm::{self, Functions};

/// How the names of functions begin that never return; everything that they do is to say why.
const PANICS: &[&str] = &[
    "core::panicking::",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
    "core::cell::panic_",
    "core::cell::lazy::panic_poisoned",
    "core::slice::index::slice_index_fail",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "core::str::slice_error_fail",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::handle_error",
    "alloc::raw_vec::capacity_overflow",
    "std::panicking::panic_with_hook",
    "std::panicking::panic_handler",
    "std::thread::local::panic_access_error",
    "__rustc::rust_begin_unwind",
    "__rustc::rust_panic",
    "console_error_panic_hook::hook",
];

/// How Debug is written: by nothing but panics, since no sentence of the page is made with it.
const DEBUG: &str = " as core::fmt::Debug>::fmt";

fn is_for_panics(name: &str) -> bool {
    PANICS.iter().any(|panic| name.starts_with(panic)) || name.contains(DEBUG)
}

/// Every panic is a trap at once.
pub(super) fn silenced(module: &[u8]) -> Result<Vec<u8>> {
    let functions = wasm::functions(module)?;
    if !(0..functions.bodies.len()).any(|place| is_for_panics(&functions.plain_name(place))) {
        bail!("no panic is found by its name; xtask/src/shrink/panics.rs lists how rustc calls them");
    }
    let mut silent = Module::new();
    Silencing { functions, place: 0 }.parse_core_module(&mut silent, Parser::new(0), module)?;
    Ok(silent.finish())
}

struct Silencing<'a> {
    functions: Functions<'a>,
    place: usize,
}

impl Reencode for Silencing<'_> {
    type Error = Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        let name = self.functions.plain_name(self.place);
        self.place += 1;
        if !is_for_panics(&name) {
            return utils::parse_function_body(self, code, body);
        }
        let mut trap = Function::new([]);
        trap.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
        code.function(&trap);
        Ok(())
    }
}

/// Without the places in the source that panics name: each is the path of a file, its length, a line and
/// a column, and no two compress alike. They are zeros now, of the same length.
pub(super) fn without_places(mut module: Vec<u8>) -> Result<Vec<u8>> {
    let data = Data::of(&module)?;
    let mut gone: BTreeSet<(usize, usize)> = BTreeSet::new();
    for segment in &data.segments {
        let aligned = segment.address.next_multiple_of(4) - segment.address;
        for at in (segment.file.start + aligned..segment.file.end).step_by(4) {
            if let Some(path) = data.path_of_place(&module, at..at + PLACE) {
                gone.extend([(at, at + PLACE), (path.start, path.end)]);
            }
        }
    }
    for (start, end) in gone {
        module.get_mut(start..end).unwrap_or_default().fill(0);
    }
    Ok(module)
}

/// `core::panic::Location`: where the path is, its length, line, column.
const PLACE: usize = 16;

/// What is in memory at the start.
struct Data {
    segments: Vec<Segment>,
}

struct Segment {
    address: usize,
    file: Range<usize>,
}

impl Data {
    fn of(module: &[u8]) -> Result<Self> {
        let mut segments = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            let Payload::DataSection(section) = payload? else { continue };
            for data in section {
                let data = data?;
                let DataKind::Active { offset_expr, .. } = data.kind else { continue };
                let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
                    continue;
                };
                let end = usize::try_from(data.range.end)?;
                let file = end - data.data.len()..end;
                segments.push(Segment { address: usize::try_from(value)?, file });
            }
        }
        Ok(Self { segments })
    }

    /// Where in the file this part of the memory is.
    fn in_file(&self, address: usize, length: usize) -> Option<Range<usize>> {
        self.segments.iter().find_map(|segment| {
            let start = segment.file.start + address.checked_sub(segment.address)?;
            let end = start.checked_add(length)?;
            (end <= segment.file.end).then_some(start..end)
        })
    }

    /// The path that this place names, if it is one.
    fn path_of_place(&self, module: &[u8], place: Range<usize>) -> Option<Range<usize>> {
        let inside = self
            .segments
            .iter()
            .any(|segment| place.end <= segment.file.end && place.start >= segment.file.start);
        let words = inside.then(|| module.get(place))??;
        let mut numbers = words
            .chunks_exact(4)
            .map(|word| word.try_into().ok().and_then(|word| usize::try_from(u32::from_le_bytes(word)).ok()));
        let (pointer, length, line, column) =
            (numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??);
        if !(4..256).contains(&length) || line > 100_000 || !(1..1_000).contains(&column) {
            return None;
        }
        let path = self.in_file(pointer, length)?;
        let text = module.get(path.clone())?;
        (text.ends_with(b".rs") && text.iter().all(u8::is_ascii_graphic)).then_some(path)
    }
}
