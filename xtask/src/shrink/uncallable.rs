//! Functions that nobody can call. wasm-bindgen's descriptions take the addresses of functions and go; what
//! they pointed at stays in the table of functions, where every optimiser must believe that it is called.

use std::collections::BTreeSet;

use anyhow::Result;
use wasmparser::{
    DataKind, Element, ElementItems, ElementKind, ExternalKind, FunctionBody, Operator, Parser, Payload,
};

/// The functions that stand in the table alone, at a number that no code and no data holds. For a module
/// in which numbers of functions are constants, as those of a compiler are: an optimiser may calculate them.
pub(super) fn functions(module: &[u8]) -> Result<BTreeSet<u32>> {
    let mut table: Vec<(u32, u32)> = Vec::new();
    let (mut known, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        known.insert(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => {
                known.insert(func);
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    place(element?, &mut table, &mut known)?;
                }
            }
            Payload::CodeSectionEntry(body) => read(&body, &mut known, &mut numbers)?,
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    // Words stand at multiples of four, counted from where the segment is put.
                    let skip = match offset(&data.kind)? {
                        Some(address) => address.wrapping_neg() % 4,
                        None => 0,
                    };
                    let words = data.data.get(usize::try_from(skip)?..).unwrap_or_default().chunks_exact(4);
                    numbers.extend(words.filter_map(|word| word.try_into().ok().map(u32::from_le_bytes)));
                }
            }
            _ => {}
        }
    }
    let called: BTreeSet<u32> =
        table.iter().filter(|(number, _)| numbers.contains(number)).map(|(_, function)| *function).collect();
    let functions = table.into_iter().map(|(_, function)| function);
    Ok(functions.filter(|function| !known.contains(function) && !called.contains(function)).collect())
}

/// Notes which function stands at which number, or that all of these are known.
fn place(element: Element<'_>, table: &mut Vec<(u32, u32)>, known: &mut BTreeSet<u32>) -> Result<()> {
    let ElementItems::Functions(functions) = element.items else { return Ok(()) };
    let first = match element.kind {
        ElementKind::Active { offset_expr, .. } => match offset_expr.get_operators_reader().read()? {
            Operator::I32Const { value } => Some(value.cast_unsigned()),
            _ => None,
        },
        ElementKind::Passive | ElementKind::Declared => None,
    };
    for (at, function) in (0..).zip(functions) {
        match first {
            Some(first) => table.push((first + at, function?)),
            None => {
                known.insert(function?);
            }
        }
    }
    Ok(())
}

/// What a function calls by name, and the numbers that it holds.
fn read(body: &FunctionBody<'_>, known: &mut BTreeSet<u32>, numbers: &mut BTreeSet<u32>) -> Result<()> {
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::Call { function_index } | Operator::RefFunc { function_index } => {
                known.insert(function_index);
            }
            Operator::I32Const { value } => {
                numbers.insert(value.cast_unsigned());
            }
            _ => {}
        }
    }
    Ok(())
}

fn offset(kind: &DataKind<'_>) -> Result<Option<u32>> {
    let DataKind::Active { offset_expr, .. } = kind else { return Ok(None) };
    Ok(match offset_expr.get_operators_reader().read()? {
        Operator::I32Const { value } => Some(value.cast_unsigned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        CodeSection, ConstExpr, DataSection, ElementSection, Elements, ExportKind, ExportSection, Function,
        FunctionSection, Instruction, MemorySection, MemoryType, Module, RefType, TableSection, TableType,
        TypeSection,
    };

    #[test]
    fn what_no_number_names_is_uncallable() {
        // Seven functions at the numbers from 10 on.
        let (mut types, mut declared, mut code) =
            (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        types.ty().function([], []);
        for function in 0..7 {
            declared.function(0);
            let mut body = Function::new([]);
            if function == 0 {
                // Calls one of them by name, and holds the number of another.
                body.instruction(&Instruction::Call(1)).instruction(&Instruction::I32Const(12));
                body.instruction(&Instruction::Drop);
            }
            body.instruction(&Instruction::End);
            code.function(&body);
        }
        let mut tables = TableSection::new();
        let element_type = RefType::FUNCREF;
        tables.table(TableType { element_type, minimum: 20, maximum: None, table64: false, shared: false });
        let mut memories = MemorySection::new();
        let least =
            MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        memories.memory(least);
        let mut exports = ExportSection::new();
        exports.export("three", ExportKind::Func, 3);
        let mut elements = ElementSection::new();
        let all = [0, 1, 2, 3, 4, 5, 6];
        elements.active(None, &ConstExpr::i32_const(10), Elements::Functions((&all).into()));
        // The word at 1024 is the number of the fourth; what looks like that of the fifth is in no word.
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(1022), [0, 0, 14, 0, 0, 0, 0, 0, 15, 0, 0, 0]);
        let mut module = Module::new();
        module.section(&types).section(&declared).section(&tables).section(&memories).section(&exports);
        module.section(&elements).section(&code).section(&data);
        assert_eq!(functions(&module.finish()).unwrap(), BTreeSet::from([0, 5, 6]));
    }
}
