//! The document against the table of addresses in `protocol/http.md`.

use holdfast_protocol::problem::Code;
use holdfast_server::openapi::{self, Access, Address, Answers, Header, Method, Takes};
use serde_json::Value;

const TABLE: &str = include_str!("../../../../protocol/http.md");

/// A row, cell by cell.
struct Row<'a> {
    method: &'a str,
    path: &'a str,
    query: Vec<&'a str>,
    access: &'a str,
    /// Body, arrow, answer, and in words what else there is to say.
    says: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter_map(|row| {
        let (address, rest) = row.split_once("` | ")?;
        let (method, address) =
            address.split_once(" /").map(|(method, _)| (method, &address[method.len() + 1..]))?;
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let (access, says) = rest.split_once(" | ")?;
        let query =
            query.split('&').filter_map(|asked| asked.split('=').next()).filter(|name| !name.is_empty());
        Some(Row { method, path, query: query.collect(), access, says })
    });
    rows.collect()
}

fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A type without its module.
fn bare(name: &str) -> &str {
    name.trim_end_matches('>').rsplit("::").next().unwrap_or_default()
}

fn word(access: Access) -> &'static str {
    match access {
        Access::Public | Access::Report => "Public",
        Access::Program => "Program",
        Access::Agent => "Agent",
        Access::Ceremony | Access::CeremonyVerify => "Ceremony",
        Access::SignedIn | Access::Preflight => "SignedIn",
        Access::Elevated => "Elevated",
        Access::Ticket => "Ticket",
        Access::Answer => "Answer",
        Access::Device => "Device",
    }
}

fn is_type(word: &str) -> bool {
    bare(word).starts_with(|first: char| first.is_ascii_uppercase())
}

/// Whether row and declaration name the same body and the same answer.
fn same_types(row: &Row<'_>, address: &Address) -> bool {
    let (body, answer) = row.says.split_once('→').unwrap_or_default();
    let body = in_backticks(body).next().filter(|word| is_type(word)).map(bare);
    let declared = match &address.takes {
        Takes::Json(body) => Some(bare(body.name)),
        Takes::Nothing | Takes::Message | Takes::Report => None,
    };
    let answer = answer.trim_start();
    let same_answer = match &address.answers {
        Answers::NoContent => answer.starts_with("204"),
        Answers::Json(declared) => {
            answer.starts_with('`') && in_backticks(answer).next().map(bare) == Some(bare(declared.name))
        }
        Answers::Health | Answers::RelatedOrigins | Answers::OpenApi => !in_backticks(answer).any(is_type),
        Answers::Stream { events } => {
            row.says.starts_with("WebSocket") && *events == row.says.contains("`text/event-stream`")
        }
    };
    body == declared && same_answer
}

/// The codes that the document has for an address.
fn codes(document: &Value, address: &Address) -> Vec<Code> {
    let method = match address.method {
        Method::Get => "get",
        Method::Post => "post",
    };
    let responses = document["paths"][&*address.path][method]["responses"].as_object().unwrap();
    let enums = responses.values().filter_map(|response| {
        response["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"].as_array()
    });
    enums.flatten().map(|code| serde_json::from_value(code.clone()).unwrap()).collect()
}

#[test]
fn the_table_and_the_document_have_the_same_rows() {
    let (rows, document) = (rows(), openapi::document());
    let mut addresses = openapi::all();
    addresses.retain(|address| address.access != Access::Preflight);
    assert_eq!(rows.len(), addresses.len());
    for row in &rows {
        let name = format!("{} {}", row.method, row.path);
        let is_it = |address: &&Address| {
            address.path == row.path && (address.method == Method::Get) == (row.method == "GET")
        };
        let address = addresses.iter().find(is_it).unwrap_or_else(|| panic!("{name} is not declared"));
        assert!(row.access.starts_with(word(address.access)), "{name}: {}", row.access);
        let query: Vec<&str> = address.query.iter().map(|query| query.word()).collect();
        assert_eq!(row.query, query, "{name}");
        assert!(same_types(row, address), "{name}: {}", row.says);
        let says = |header: &str| row.access.contains(header) || row.says.contains(header);
        assert_eq!(says("X-Setup-Token"), address.headers.contains(&Header::SetupToken), "{name}");
        assert_eq!(says("Sec-Secure-Session-Id"), address.headers.contains(&Header::SessionId), "{name}");
        assert_eq!(says("Idempotency-Key"), address.headers.contains(&Header::HasKey), "{name}");
        let codes = codes(&document, address);
        let named =
            in_backticks(row.says).filter_map(|word| serde_json::from_value::<Code>(word.into()).ok());
        for code in named {
            assert!(codes.contains(&code), "{name}: {code}");
        }
    }
}
