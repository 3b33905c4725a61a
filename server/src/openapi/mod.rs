//! The HTTP contract as an OpenAPI 3.1 document, made from the types and declarations that the server runs on.
//! `protocol/http.md` is the same contract for people, with what no schema says.

mod addresses;
mod refusals;

pub use addresses::{Access, Address, Answers, Header, Method, Query, Takes, all};

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use holdfast_protocol::{
    problem::{Code, Problem},
    step_up::Group,
};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::LazyLock};

use crate::{app::App, problem::Refusal};

/// Of this version, as it is served and printed.
static TEXT: LazyLock<String> = LazyLock::new(|| format!("{}\n", document()));

/// The document, as text.
pub fn text() -> &'static str {
    &TEXT
}

/// A nonce for the next proof is not handed out here: what may be kept is for everybody.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/openapi.json", get(serve))
        .method_not_allowed_fallback(|| async { Refusal::from(Code::MethodNotAllowed) })
}

/// `GET /v1/openapi.json`.
async fn serve() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=3600")], text())
}

/// The document.
pub fn document() -> Value {
    // As things are written: a request that would not be written as it came is refused.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schemas = settings.with(|to| to.definitions_path = "/components/schemas".into()).into_generator();
    let problem = schemas.subschema_for::<Problem>();
    let mut paths = BTreeMap::<String, Map<String, Value>>::new();
    for address in all() {
        let operation = operation(&address, problem.as_value(), &mut schemas);
        paths
            .entry(address.path.into_owned())
            .or_default()
            .insert(address.method.word().to_owned(), operation);
    }
    let mut described = Value::Object(schemas.take_definitions(true));
    leave_out_null(&mut described);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Holdfast",
            "summary": "A passkey security console",
            "description": "What each address asks of its caller, and in which order, stands in protocol/http.md. \
                            Every refusal is a problem document (RFC 9457) with one of the codes of `Code`.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" }
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "schemas": described, "securitySchemes": schemes() }
    })
}

fn operation(address: &Address, problem: &Value, schemas: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": name(address),
        "summary": address.about,
        "security": security(address),
        "responses": responses(address, problem, schemas)
    });
    let parameters = parameters(address, schemas);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    let content = match &address.takes {
        Takes::Nothing => return operation,
        Takes::Json(body) => json!({ "application/json": { "schema": (body.schema)(schemas) } }),
        Takes::Message => json!({ "text/plain": { "schema": {
            "type": "string", "description": "One control message of protocol/pop.md: `answer`, `refuse` or `ask`"
        } } }),
        Takes::Report => json!({
            "application/csp-report": { "schema": {} },
            "application/reports+json": { "schema": {} },
            "application/json": { "schema": {} }
        }),
    };
    operation["requestBody"] = json!({ "required": true, "content": content });
    operation
}

/// `postPasskeyRename`.
fn name(address: &Address) -> String {
    let words =
        address.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !["", "v1"].contains(word));
    words.fold(address.method.word().to_owned(), |mut name, word| {
        let (first, rest) = word.split_at(1);
        name.extend([&first.to_ascii_uppercase(), rest]);
        name
    })
}

fn parameters(address: &Address, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let placed = address.path.split(['{', '}']).nth(1).zip(address.placed).map(|(name, placed)| {
        json!({ "name": name, "in": "path", "required": true, "schema": (placed.schema)(schemas) })
    });
    let query = address.query.iter().map(|query| {
        let (required, schema) = match query {
            Query::Before => (false, json!({ "type": "integer", "format": "int64", "minimum": 1 })),
            Query::Limit => {
                (false, json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 }))
            }
            Query::Filter => {
                let groups = Group::ALL.into_iter().map(Group::as_str);
                let words: Vec<&str> = ["all"].into_iter().chain(groups).collect();
                (false, json!({ "enum": words, "default": "all" }))
            }
            Query::Ticket => (true, json!({ "type": "string" })),
        };
        json!({ "name": query.word(), "in": "query", "required": required, "schema": schema })
    });
    let headers = address.headers.iter().map(|header| {
        let (name, required, schema) = match header {
            Header::SetupToken => ("X-Setup-Token", true, json!({ "type": "string" })),
            Header::MayHaveKey => ("Idempotency-Key", false, key()),
            Header::SessionId => ("Sec-Secure-Session-Id", true, json!({ "type": "string" })),
            Header::HasKey => ("Idempotency-Key", true, key()),
        };
        json!({ "name": name, "in": "header", "required": required, "schema": schema })
    });
    placed.into_iter().chain(query).chain(headers).collect()
}

fn key() -> Value {
    json!({ "type": "string", "pattern": "^[!-~]{16,64}$" })
}

fn responses(address: &Address, problem: &Value, schemas: &mut SchemaGenerator) -> Map<String, Value> {
    let as_json = |schema: Value| json!({ "description": "Done", "content": { "application/json": { "schema": schema } } });
    let mut responses = Map::new();
    let mut done = |status: &str, response| drop(responses.insert(status.to_owned(), response));
    match &address.answers {
        Answers::NoContent => done("204", json!({ "description": "Done" })),
        Answers::Json(answer) => done("200", as_json((answer.schema)(schemas).to_value())),
        Answers::Health => {
            let ok = json!({ "type": "object", "required": ["status"], "properties": { "status": { "const": "ok" } } });
            done("200", as_json(ok));
        }
        Answers::RelatedOrigins => {
            let origins = json!({ "type": "array", "items": { "type": "string" } });
            done(
                "200",
                as_json(
                    json!({ "type": "object", "required": ["origins"], "properties": { "origins": origins } }),
                ),
            );
        }
        Answers::OpenApi => done("200", as_json(json!({ "type": "object" }))),
        Answers::Stream { events } => {
            done(
                "101",
                json!({ "description": "A WebSocket, whose messages are in protocol/pop.md and protocol/http.md" }),
            );
            if *events {
                let content = json!({ "text/event-stream": { "schema": { "type": "string" } } });
                done("200", json!({ "description": "The same as server-sent events", "content": content }));
            }
        }
    }
    let mut refused = BTreeMap::<u16, Vec<&str>>::new();
    for code in refusals::of(address) {
        refused.entry(code.words().status).or_default().push(code.as_str());
    }
    for (status, codes) in refused {
        let mut schema = problem.clone();
        schema["properties"] = json!({ "status": { "const": status }, "code": { "enum": codes } });
        let mut response = json!({
            "description": codes.join(", "),
            "content": { "application/problem+json": { "schema": schema } }
        });
        if codes.contains(&Code::DeviceChallenge.as_str()) {
            // Not with every refusal of this status.
            response["headers"] = json!({ "Secure-Session-Challenge": { "schema": { "type": "string" } } });
        }
        if [429, 503].contains(&status) {
            response["headers"] =
                json!({ "Retry-After": { "required": true, "schema": { "type": "integer" } } });
        }
        responses.insert(status.to_string(), response);
    }
    responses
}

/// What a request must carry, all of it together; see [`schemes`].
fn security(address: &Address) -> Value {
    let carries: &[&str] = match (address.access, address.method) {
        (Access::Public | Access::Report | Access::Program | Access::Ceremony, _) => return json!([]),
        (Access::Agent, _) => &["agent"],
        (Access::CeremonyVerify, _) => &["ceremony", "proof"],
        (Access::Ticket, _) => &["session"],
        (Access::Answer, _) => &["session", "csrf"],
        // A refresh without an answer is given a challenge, and one without a session is told whether it has ended.
        (Access::Device, _) if address.path.ends_with("/refresh") => {
            return json!([{}, { "session": [] }, { "session": [], "device": [] }]);
        }
        (Access::Device, _) => &["session", "device"],
        (Access::SignedIn | Access::Elevated | Access::Preflight, Method::Get) => &["session", "proof"],
        (Access::SignedIn | Access::Elevated | Access::Preflight, Method::Post) => {
            &["session", "proof", "csrf"]
        }
    };
    let scheme = |name: &&str| ((*name).to_owned(), json!([]));
    json!([carries.iter().map(scheme).collect::<Map<_, _>>()])
}

fn schemes() -> Value {
    let carried = |place: &str, name: &str, about: &str| json!({ "type": "apiKey", "in": place, "name": name, "description": about });
    json!({
        "session": carried("cookie", "__Host-holdfast", "The session's cookie"),
        "ceremony": carried("cookie", "__Host-holdfast-ceremony", "The cookie with which the ceremony began"),
        "proof": carried("header", "DPoP", "A proof by the session's key, or by the one that the ceremony names (RFC 9449)"),
        "device": carried("header", "Secure-Session-Response", "The device's answer to a challenge; a refresh without it is given one"),
        "csrf": carried("header", "X-CSRF-Token", "Equal to the cookie `csrf`"),
        "agent": { "type": "http", "scheme": "bearer", "description": "The token of an agent" }
    })
}

/// What may be left out is never null: it is not written so, and a request that spells it so is refused.
fn leave_out_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(leave_out_null),
        Value::Object(members) => {
            let required = members.get("required").cloned().unwrap_or_default();
            let is_required =
                |name: &String| required.as_array().is_some_and(|names| names.contains(&json!(name)));
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                properties
                    .iter_mut()
                    .filter(|(name, _)| !is_required(name))
                    .for_each(|(_, one)| not_null(one));
            }
            members.values_mut().for_each(leave_out_null);
        }
        _ => {}
    }
}

fn not_null(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| one != "null");
    }
    if let Some(Value::Array(kinds)) = schema.get_mut("anyOf") {
        kinds.retain(|kind| kind["type"] != "null");
    }
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
        }
    }
}

impl Query {
    /// As it stands in an address.
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Limit => "limit",
            Self::Filter => "filter",
            Self::Ticket => "ticket",
        }
    }
}
