//! The OpenAPI document: that it is one, that it says what `protocol/http.md` says, and that the server does what it
//! says.

mod table;

use crate::support::{Access, Answer, Owner, PlainBody, Proof, Raw, Sample, World, endpoints, sample};
use axum::http::Method;
use holdfast_protocol::step_up::Kind;
use holdfast_server::{access::DeviceChallenge, openapi};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::{collections::BTreeSet, process::Command};

/// What the OpenAPI Initiative publishes for version 3.1 of its specification, as of its date.
const RULES: &str = include_str!("openapi-3.1-2022-10-07.json");

/// What stands at a place of the document, as a schema of its own.
fn schema_at(document: &Value, place: &str) -> Validator {
    let mut schema = document.clone();
    // As a reference is spelled; the document's own hold no place holders.
    schema["$ref"] = format!("#{}", place.replace('{', "%7B").replace('}', "%7D")).into();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn place(path: &str, method: &str, rest: &str) -> String {
    format!("/paths/{}/{}{rest}", path.replace('~', "~0").replace('/', "~1"), method.to_lowercase())
}

/// Every value of the members with this name.
fn members<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| members(item, name, found)),
        Value::Object(all) => {
            found.extend(all.get(name));
            all.values().for_each(|member| members(member, name, found));
        }
        _ => {}
    }
}

#[test]
fn the_document_keeps_the_rules_of_openapi() {
    let rules = jsonschema::draft202012::new(&serde_json::from_str(RULES).unwrap()).unwrap();
    let document = openapi::document();
    let breaches: Vec<String> = rules.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(breaches, [""; 0]);
    let mut without_version = document.clone();
    without_version["info"].as_object_mut().unwrap().remove("version");
    assert!(!rules.is_valid(&without_version));

    // The rules leave schemas to JSON Schema, and references to whoever follows them.
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
        assert!(!name.ends_with(|last: char| last.is_ascii_digit()), "two types are called {name}");
    }
    let mut references = Vec::new();
    members(&document, "$ref", &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let place = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{place}");
    }
    let mut names = Vec::new();
    members(&document, "operationId", &mut names);
    let different: BTreeSet<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(different.len(), names.len());
}

#[tokio::test]
async fn each_sample_fits_its_schema_and_with_one_member_more_it_does_not() {
    let (world, document) = (World::new().await, openapi::document());
    let mut bodies = 0;
    for endpoint in endpoints() {
        let at = place(&endpoint.path, &endpoint.method, "");
        assert!(document.pointer(&at).is_some(), "{} is not in the document", endpoint.name());
        let content = place(&endpoint.path, &endpoint.method, "/requestBody/content");
        let (kind, body) = match sample(&world, &endpoint) {
            Sample::NoBody { query } => {
                assert_eq!(document.pointer(&content), None, "{}", endpoint.name());
                for asked in query.trim_start_matches('?').split('&').filter(|asked| !asked.is_empty()) {
                    let (name, _) = asked.split_once('=').unwrap();
                    let named = document.pointer(&format!("{at}/parameters")).unwrap().as_array().unwrap();
                    assert!(named.iter().any(|parameter| parameter["name"] == name), "{at}: {name}");
                }
                continue;
            }
            Sample::Json { body, .. } => ("application~1json", body),
            Sample::Report(body) => ("application~1csp-report", body),
            Sample::Text(text) => ("text~1plain", json!(text)),
        };
        let schema = schema_at(&document, &format!("{content}/{kind}/schema"));
        let breaches: Vec<String> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
        assert_eq!(breaches, [""; 0], "{}", endpoint.name());
        if kind == "application~1json" {
            bodies += 1;
            for (name, member) in body.as_object().unwrap() {
                for other in [json!(null), json!([member]), json!(17.5)] {
                    let mut changed = body.clone();
                    changed[name] = other;
                    assert!(!schema.is_valid(&changed), "{}: {name}", endpoint.name());
                }
            }
            let mut more = body;
            more["more"] = json!(1);
            assert!(!schema.is_valid(&more), "{}", endpoint.name());
        }
    }
    assert!(bodies > 2 * Kind::ALL.len());
}

/// Holds an answer against what the document says of its address.
fn holds(document: &Value, path: &str, method: &str, status: u16, body: &Value) {
    let kind = if status < 300 { "application~1json" } else { "application~1problem+json" };
    let at = place(path, method, &format!("/responses/{status}/content/{kind}/schema"));
    assert!(document.pointer(&at).is_some(), "{method} {path} answers {status}: {body}");
    let schema = schema_at(document, &at);
    let breaches: Vec<String> = schema.iter_errors(body).map(|error| error.to_string()).collect();
    assert_eq!(breaches, [""; 0], "{method} {path}: {body}");
}

#[tokio::test]
async fn what_the_server_answers_fits_too() {
    let (world, document) = (World::new().await, openapi::document());
    let owner = world.owner("Mara").await;
    for endpoint in endpoints() {
        let (path, method) = (endpoint.path.as_str(), endpoint.method.as_str());
        // Without a session, a ceremony or a body.
        let mut answers = vec![Raw::new(method, path).send(world.address).await];
        if endpoint.reads() && endpoint.access == Access::SignedIn {
            answers.push(owner.browser.get(path).await);
        }
        if endpoint.access == Access::Device {
            answers.extend(of_device(&owner, path).await);
        }
        // The terminal is not switched on.
        answers.retain(|answer| !path.contains("terminal") && !answer.body.is_empty());
        for answer in answers {
            let body = serde_json::from_slice(&answer.body).unwrap();
            holds(&document, path, method, answer.status.as_u16(), &body);
        }
    }
}

/// What a browser with hardware for keys is answered.
async fn of_device(owner: &Owner, path: &str) -> Vec<Answer> {
    let (browser, key) = (&owner.browser, owner.browser.foreign_key());
    let ask = async |path: &str, response: Option<(DeviceChallenge, &str)>| {
        let mut request = browser.request(Method::POST, path);
        request = request.header("sec-secure-session-id", browser.session.as_str());
        if let Some((kind, challenge)) = response {
            let response = Proof::of_device(&browser.app, &key, kind, challenge);
            request = request.header("secure-session-response", response);
        }
        browser.send(request.body(PlainBody::default()).unwrap()).await
    };
    let registration = DeviceChallenge::Registration.make(&browser.app, &browser.session);
    let registered = ask("/v1/sessions/device", Some((DeviceChallenge::Registration, &registration))).await;
    assert_eq!(registered.status, 200);
    if !path.ends_with("/refresh") {
        return vec![registered];
    }
    let asked = ask(path, None).await;
    let given =
        asked.headers["secure-session-challenge"].to_str().unwrap().split('"').nth(1).unwrap().to_owned();
    let fetched = ask(path, Some((DeviceChallenge::Refresh, &given))).await;
    assert_eq!((asked.status.as_u16(), fetched.status.as_u16()), (403, 200));
    vec![asked, fetched]
}

#[tokio::test]
async fn the_document_is_served_to_be_kept_and_printed_as_it_is_served() {
    let world = World::new().await;
    let answer = Raw::new("GET", "/v1/openapi.json").send(world.address).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "public, max-age=3600");
    // A nonce that somebody keeps is old when it is used.
    assert!(!answer.headers.contains_key("dpop-nonce"));
    assert_eq!(answer.json::<Value>(), openapi::document());
    let printed = Command::new(env!("CARGO_BIN_EXE_holdfast")).arg("openapi").output().unwrap();
    assert!(printed.status.success());
    assert_eq!(printed.stdout, openapi::text().as_bytes());
}
