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

use super::{formatting, uncallable, wasm};

/// How the names of functions begin that never return; everything that they do is to say why. And the
/// hook that one of them calls.
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
    "wasm_bindgen::throw_str",
    "wasm_bindgen::__rt::throw_null",
    "wasm_bindgen::__rt::borrow_fail",
    "__rustc::rust_begin_unwind",
    "__rustc::rust_panic",
    HOOK,
];

const HOOK: &str = "console_error_panic_hook::hook";

/// What writes values for panics, and nothing else: no sentence of the page is made with `{:?}` (clippy's
/// `use_debug` is denied there). Not every Debug: the compiler merges functions that do the same, and
/// keeps the name of either.
const WRITERS: &[&str] = &[
    "<char as core::fmt::Debug>::fmt",
    "<&usize as core::fmt::Debug>::fmt",
    "<core::ops::range::Range<usize> as core::fmt::Debug>::fmt",
    "<core::fmt::Error as core::fmt::Debug>::fmt",
    "<core::alloc::layout::LayoutError as core::fmt::Debug>::fmt",
    "<std::thread::local::AccessError as core::fmt::Debug>::fmt",
    "<wasm_bindgen::JsValue as core::fmt::Debug>::fmt",
    "<std::panicking::panic_handler::FormatStringPayload as ",
    "<std::panicking::panic_handler::StaticStrPayload as ",
];

/// Why a function becomes a trap, if it does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Panics,
    Writes,
}

fn cause(name: &str) -> Option<Cause> {
    let begins = |names: &[&str]| names.iter().any(|beginning| name.starts_with(beginning));
    if begins(PANICS) {
        return Some(Cause::Panics);
    }
    begins(WRITERS).then_some(Cause::Writes)
}

/// Every panic is a trap at once, and so is what nobody can call.
pub(super) fn silenced(module: &[u8]) -> Result<Vec<u8>> {
    let functions = wasm::functions(module)?;
    let names: Vec<String> = (0..functions.bodies.len()).map(|place| functions.plain_name(place)).collect();
    for known in ["core::panicking::panic_fmt", "__rustc::rust_begin_unwind"] {
        if !names.iter().any(|name| name.starts_with(known)) {
            bail!("there is no `{known}`; xtask/src/shrink/panics.rs lists how rustc calls its panics");
        }
    }
    for (name, body) in names.iter().zip(&functions.bodies) {
        if cause(name) == Some(Cause::Panics) && !never_returns(body) && !name.starts_with(HOOK) {
            bail!("`{name}` returns: it is no panic, and xtask/src/shrink/panics.rs must not trap it");
        }
    }
    let mut silent = Module::new();
    let is_silent = |name: &str| cause(name).is_some();
    let idle = formatting::is_idle(module, &functions, &names, is_silent)?;
    let uncallable = uncallable::functions(module)?;
    let traps = names.iter().zip(functions.imported..).map(|(name, index)| {
        is_silent(name) || (idle && formatting::is_machinery(name)) || uncallable.contains(&index)
    });
    Silencing { traps: traps.collect(), place: 0 }.parse_core_module(&mut silent, Parser::new(0), module)?;
    Ok(silent.finish())
}

/// Whether the end of the code cannot be reached.
fn never_returns(body: &[u8]) -> bool {
    body.ends_with(&[UNREACHABLE, END])
}

const UNREACHABLE: u8 = 0x00;
const END: u8 = 0x0b;

struct Silencing {
    traps: Vec<bool>,
    place: usize,
}

impl Reencode for Silencing {
    type Error = Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        let trap = self.traps.get(self.place).copied().unwrap_or_default();
        self.place += 1;
        if !trap {
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
pub(super) struct Data {
    pub(super) segments: Vec<Segment>,
}

pub(super) struct Segment {
    pub(super) address: usize,
    pub(super) file: Range<usize>,
}

impl Data {
    pub(super) fn of(module: &[u8]) -> Result<Self> {
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
        let text = std::str::from_utf8(text).ok()?;
        (text.ends_with(".rs") && !text.contains(char::is_control)).then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        ConstExpr, DataSection, FunctionSection, MemorySection, MemoryType, NameMap, NameSection, TypeSection,
    };

    /// A module with functions of these names, each of one instruction.
    fn module(functions: &[(&str, Instruction<'_>)], data: Option<&[u8]>) -> Vec<u8> {
        let (mut types, mut declared, mut code) =
            (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        types.ty().function([], []);
        let mut names = NameMap::new();
        for (index, (name, instruction)) in (0..).zip(functions) {
            declared.function(0);
            let mut function = Function::new([]);
            function.instruction(instruction).instruction(&Instruction::End);
            code.function(&function);
            names.append(index, name);
        }
        let mut memories = MemorySection::new();
        let least =
            MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        memories.memory(least);
        let mut module = Module::new();
        module.section(&types).section(&declared).section(&memories).section(&code);
        if let Some(data) = data {
            let mut section = DataSection::new();
            section.active(0, &ConstExpr::i32_const(1024), data.iter().copied());
            module.section(&section);
        }
        let mut naming = NameSection::new();
        naming.functions(&names);
        module.section(&naming);
        module.finish()
    }

    const KNOWN: [(&str, Instruction<'_>); 2] = [
        ("core[0123456789abcdef]::panicking::panic_fmt", Instruction::Unreachable),
        ("__rustc[123456789abcdef]::rust_begin_unwind", Instruction::Unreachable),
    ];

    #[test]
    fn panics_and_their_writers_are_traps_and_nothing_else_is() {
        let writer = ("<char as core[0123456789abcdef]::fmt::Debug>::fmt", Instruction::Nop);
        let other = ("<http::method::Method as core[0123456789abcdef]::fmt::Debug>::fmt", Instruction::Nop);
        let silent = silenced(&module(&[&KNOWN[..], &[writer, other]].concat(), None)).unwrap();
        let bodies: Vec<Vec<u8>> =
            wasm::functions(&silent).unwrap().bodies.iter().map(|body| body.to_vec()).collect();
        let trap = vec![0, UNREACHABLE, END];
        assert_eq!(bodies, [trap.clone(), trap.clone(), trap, vec![0, 0x01, END]]);
    }

    #[test]
    fn formatting_goes_once_nothing_formats() {
        let machinery = ("core::fmt::write", Instruction::Nop);
        let bodies = |last: Instruction<'_>| {
            let user = ("app::sentence", last);
            let silent = silenced(&module(&[&KNOWN[..], &[machinery.clone(), user]].concat(), None)).unwrap();
            wasm::functions(&silent).unwrap().bodies[2].to_vec()
        };
        assert_eq!(bodies(Instruction::Nop), [0, UNREACHABLE, END]);
        assert_eq!(bodies(Instruction::Call(2)), [0, 0x01, END]);
    }

    #[test]
    fn a_panic_that_returns_or_is_not_there_is_refused() {
        let returns = ("core::panicking::is_it", Instruction::Nop);
        let refused = silenced(&module(&[&KNOWN[..], &[returns]].concat(), None)).unwrap_err();
        assert!(refused.to_string().contains("core::panicking::is_it"), "{refused}");
        let renamed = silenced(&module(&KNOWN[..1], None)).unwrap_err();
        assert!(renamed.to_string().contains("rust_begin_unwind"), "{renamed}");
    }

    #[test]
    fn places_go_and_what_only_looks_like_one_stays() {
        let path = b"/else/a b/x.rs--";
        let place = |pointer: u32, length: u32, line: u32, column: u32| {
            [pointer, length, line, column].map(u32::to_le_bytes).concat()
        };
        let real = place(1024, 14, 7, 5);
        let (no_path, no_column) = (place(1024, 15, 7, 5), place(1024, 14, 7, 0));
        let data = [&path[..], &real, &no_path, &no_column].concat();
        let before = module(&KNOWN, Some(&data));
        let after = without_places(before.clone()).unwrap();
        assert_eq!(before.len(), after.len());
        let start = before.windows(data.len()).position(|window| window == data).unwrap();
        let left = &after[start..start + data.len()];
        let expected = [&[0; 14][..], b"--", &[0; 16], &no_path, &no_column].concat();
        assert_eq!(left, expected);
        assert_eq!(
            (&before[..start], &before[start + data.len()..]),
            (&after[..start], &after[start + data.len()..])
        );
    }
}
