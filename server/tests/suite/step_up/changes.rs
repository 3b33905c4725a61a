//! What parameters could say instead.

use super::walks::Walk;
use holdfast_protocol::step_up::{Kind, canonical_text};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The members that parameters of this kind may leave out.
pub fn optional(kind: Kind) -> Vec<String> {
    let schema = schema(kind);
    let required = schema["required"].as_array().unwrap();
    let members = schema["properties"].as_object().unwrap().keys();
    members.filter(|name| !required.contains(&json!(name))).cloned().collect()
}

/// The walk's parameters, each time with another thing in one place: another byte, another word out of those
/// that can stand there, an optional member more or less. No place is left as it is.
pub fn changes(kind: Kind, walk: &Walk) -> Vec<Value> {
    let mut changes = Vec::new();
    for at in leaves(&walk.parameters, String::new()) {
        let others = others(kind, &walk.parameters, &at);
        assert!(!others.is_empty(), "{kind}: nothing else can stand at {at}");
        changes.extend(others);
    }
    for name in optional(kind) {
        let mut changed = walk.parameters.clone();
        let members = changed.as_object_mut().unwrap();
        if members.remove(&name).is_none() {
            members.insert(name.clone(), walk.left_out[&name].clone());
        }
        assert!(is_readable(kind, &changed), "{kind}: {name} more or less: {changed}");
        changes.push(changed);
    }
    changes
}

/// Every place in the parameters that holds no more places, as RFC 6901 pointers.
fn leaves(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, member)| leaves(member, format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(at_item, item)| leaves(item, format!("{at}/{at_item}")))
            .collect(),
        _ => vec![at],
    }
}

/// The parameters with one byte changed there, at the first, the middle and the last place at which what
/// results can still be read. Of a word out of a few no byte can be changed: with each of the others instead.
fn others(kind: Kind, parameters: &Value, at: &str) -> Vec<Value> {
    let with = |value: Value| {
        let mut changed = parameters.clone();
        *changed.pointer_mut(at).unwrap() = value;
        changed
    };
    let candidates: Vec<Value> = match parameters.pointer(at).unwrap() {
        Value::String(text) => {
            let changed_at = |place: usize| {
                let letters = "0123456789abcdefghijklmnopqrstuvwxyzAQgw".chars();
                let old = text[place..].chars().next().unwrap();
                let others = letters.filter(move |letter| *letter != old);
                let mut all = others
                    .map(|letter| format!("{}{letter}{}", &text[..place], &text[place + old.len_utf8()..]));
                all.find(|text| is_readable(kind, &with(json!(text))))
            };
            let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
            let found: Vec<String> = places.into_iter().filter_map(changed_at).collect();
            if found.is_empty() {
                let words = words(&schema(kind)).into_iter().filter(|word| word != text);
                words.map(|word| with(json!(word))).collect()
            } else {
                let picked = [found.first(), found.get(found.len() / 2), found.last()];
                picked.into_iter().flatten().map(|text| with(json!(text))).collect()
            }
        }
        Value::Number(number) => vec![with(json!(number.as_i64().unwrap() + 1))],
        Value::Bool(is) => vec![with(json!(!is))],
        other => vec![with(json!({ "was": other }))],
    };
    candidates.into_iter().filter(|changed| is_readable(kind, changed)).collect()
}

fn is_readable(kind: Kind, parameters: &Value) -> bool {
    canonical_text(parameters).is_some_and(|text| kind.read(&text).is_some())
}

/// What is declared of the parameters, with nothing left to refer to.
fn schema(kind: Kind) -> Value {
    let mut generator =
        SchemaSettings::draft2020_12().with(|all| all.inline_subschemas = true).into_generator();
    (kind.declared().parameters.schema)(&mut generator).to_value()
}

/// Every word that a schema names.
fn words(schema: &Value) -> BTreeSet<String> {
    let within = |members: &mut dyn Iterator<Item = &Value>| members.flat_map(words).collect();
    match schema {
        Value::Array(items) => within(&mut items.iter()),
        Value::Object(members) => {
            let listed = members.get("enum").and_then(Value::as_array).into_iter().flatten();
            let named = members.get("const").into_iter().chain(listed).filter_map(Value::as_str);
            let mut all: BTreeSet<String> = within(&mut members.values());
            all.extend(named.map(str::to_owned));
            all
        }
        _ => BTreeSet::new(),
    }
}
