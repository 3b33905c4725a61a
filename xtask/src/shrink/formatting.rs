//! What is left of `format!` where nothing formats any more. Panics were the last to do so in the PoP
//! module, but its table of functions still names the machinery, so no optimiser may remove it.

use anyhow::Result;
use wasmparser::{FunctionBody, Operator, Parser, Payload};

use super::wasm::Functions;

/// The large parts of it: no compiler merges them with anything else.
const MACHINERY: &[&str] = &[
    "core::fmt::write",
    "<core::fmt::Formatter>::pad",
    "<core::fmt::Formatter>::write_formatted_parts",
    "<alloc::string::String as core::fmt::Write>::",
    "<u32 as core::fmt::Display>::fmt",
    "<u64 as core::fmt::Display>::fmt",
];

/// Whatever formats, large or small.
fn formats(name: &str) -> bool {
    name.contains("core::fmt::")
}

pub(super) fn is_machinery(name: &str) -> bool {
    MACHINERY.iter().any(|beginning| name.starts_with(beginning))
}

/// Whether no code that is left calls anything that formats. `silent`: the functions that are traps now.
pub(super) fn is_idle(
    module: &[u8],
    functions: &Functions<'_>,
    names: &[String],
    silent: impl Fn(&str) -> bool,
) -> Result<bool> {
    let mut bodies = Parser::new(0).parse_all(module).filter_map(|payload| match payload {
        Ok(Payload::CodeSectionEntry(body)) => Some(body),
        _ => None,
    });
    for name in names {
        let Some(body) = bodies.next() else { break };
        if !silent(name) && !formats(name) && calls_what_formats(&body, functions, names)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn calls_what_formats(body: &FunctionBody<'_>, functions: &Functions<'_>, names: &[String]) -> Result<bool> {
    for operator in body.get_operators_reader()? {
        let Operator::Call { function_index } = operator? else { continue };
        let place = function_index.checked_sub(functions.imported).map(usize::try_from).transpose()?;
        if place.and_then(|place| names.get(place)).is_some_and(|name| formats(name)) {
            return Ok(true);
        }
    }
    Ok(false)
}
