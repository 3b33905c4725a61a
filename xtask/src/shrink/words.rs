//! The words of panics, where panics say none: no optimiser can know that nobody reads them.

use std::collections::BTreeSet;

use anyhow::Result;
use wasmparser::{Operator, Parser, Payload};

/// What the standard library and wasm-bindgen say before they end a page. Sentences alone: an alphabet may be the
/// beginning of another one, and code may point beside it.
const WORDS: &[&str] = &[
    "assertion `left ",
    " right` failed",
    " right` failed: ",
    "  left: ",
    " right: ",
    "cannot access a Thread Local Storage value during or after destruction: ",
    "`at` split index (is ",
    "removal index (is ",
    ") should be < len (is ",
    ") should be <= len (is ",
    "attempted to take ownership of Rust value while it was borrowed",
    "null pointer passed to rust",
    "recursive use of an object detected which would lead to unsafe aliasing in rust",
    "closure invoked recursively or after being dropped",
    "Tried to shrink to a larger capacity",
    "mid > len",
    "AccessError",
    "LayoutError",
    "called `Result::unwrap()` on an `Err` value",
    "called `Option::unwrap()` on a `None` value",
    "capacity overflow",
    "`async fn` resumed after completion",
    "RefCell already mutably borrowed",
    "RefCell already borrowed",
    "==!=matches",
];

/// Without those that no code points to: they are zeros now, of the same length.
pub(super) fn without(mut module: Vec<u8>) -> Result<Vec<u8>> {
    let pointed_to = constants(&module)?;
    let data = super::panics::Data::of(&module)?;
    let mut gone = Vec::new();
    for segment in &data.segments {
        let bytes = module.get(segment.file.clone()).unwrap_or_default();
        for word in WORDS {
            for at in places(bytes, word.as_bytes()) {
                if !pointed_to.contains(&(segment.address + at)) {
                    let start = segment.file.start + at;
                    gone.push(start..start + word.len());
                }
            }
        }
    }
    for words in gone {
        module.get_mut(words).unwrap_or_default().fill(0);
    }
    Ok(module)
}

fn places(bytes: &[u8], word: &[u8]) -> impl Iterator<Item = usize> {
    bytes.windows(word.len()).enumerate().filter(move |(_, window)| *window == word).map(|(at, _)| at)
}

/// Every number that stands in the code.
fn constants(module: &[u8]) -> Result<BTreeSet<usize>> {
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        for operator in body.get_operators_reader()? {
            if let Operator::I32Const { value } = operator? {
                found.extend(usize::try_from(value).ok());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        CodeSection, ConstExpr, DataSection, Function, FunctionSection, Instruction, Module, TypeSection,
    };

    #[test]
    fn words_that_nobody_points_to_are_zeros() {
        let (mut types, mut declared, mut code) =
            (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        types.ty().function([], []);
        declared.function(0);
        let mut body = Function::new([]);
        // The second of the two.
        body.instruction(&Instruction::I32Const(1034)).instruction(&Instruction::Drop);
        code.function(body.instruction(&Instruction::End));
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(1024), *b"mid > len-mid > len-another word");
        let mut module = Module::new();
        module.section(&types).section(&declared).section(&code).section(&data);
        let left = without(module.finish()).unwrap();
        assert!(left.ends_with(b"\0\0\0\0\0\0\0\0\0-mid > len-another word"));
    }
}
