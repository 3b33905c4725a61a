use super::World;
use holdfast_protocol::base64url;
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../../../../protocol/http.md");

/// A row of the table in `protocol/http.md`.
pub struct Endpoint {
    pub method: String,
    /// With its place holders, without the query.
    pub path: String,
    pub access: Access,
}

/// See `protocol/http.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Public,
    Ceremony,
    SignedIn,
    Ticket,
    Answer,
}

/// A request that has the documented shape.
pub enum Sample {
    NoBody {
        query: &'static str,
    },
    Json {
        body: Value,
        base64: &'static [&'static str],
    },
    /// Whatever a browser reports.
    Report(Value),
    Text(&'static str),
}

impl Endpoint {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn reads(&self) -> bool {
        self.method == "GET"
    }
}

pub fn endpoints() -> Vec<Endpoint> {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `"));
    let endpoints: Vec<Endpoint> = rows.filter_map(row).collect();
    assert!(endpoints.len() >= 19, "the table of addresses is gone");
    endpoints
}

fn row(row: &str) -> Option<Endpoint> {
    let (address, rest) = row.split_once('`')?;
    let (method, path) = address.split_once(" /")?;
    let access = rest.trim_start_matches([' ', '|']);
    let access = match access.split([' ', ',', '|']).next()? {
        "Public" => Access::Public,
        "Ceremony" => Access::Ceremony,
        "SignedIn" => Access::SignedIn,
        "Ticket" => Access::Ticket,
        "Answer" => Access::Answer,
        other => panic!("{address}: {other} is no access that these tests know"),
    };
    Some(Endpoint { method: method.to_owned(), path: format!("/{}", path.split('?').next()?), access })
}

/// A request of the documented shape for an address; a new address needs one here.
pub fn sample(world: &World, endpoint: &Endpoint) -> Sample {
    let thumbprint = base64url::encode(&[7; 32]);
    let id = |prefix: &str| format!("{prefix}_0000-0000-0000-0000");
    let token = "e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let bytes = base64url::encode(&[1, 2, 3, 4]);
    match endpoint.name().as_str() {
        "GET /v1/activity" => Sample::NoBody { query: "?limit=5&before=9" },
        "GET /v1/streams/activity" => Sample::NoBody { query: "?ticket=none" },
        _ if endpoint.reads() => Sample::NoBody { query: "" },
        "POST /v1/setup/options" => Sample::Json {
            body: json!({ "name": "Mara", "email": "mara@example.org", "jkt": thumbprint }),
            base64: &["/jkt"],
        },
        "POST /v1/setup/verify" => Sample::Json {
            body: json!({ "ceremony": id("cer"), "token": token, "credential": {
                "id": bytes, "client_data_json": bytes, "attestation_object": bytes, "transports": ["usb"],
            }}),
            base64: &["/credential/id", "/credential/client_data_json", "/credential/attestation_object"],
        },
        "POST /v1/login/options" => Sample::Json { body: json!({ "jkt": thumbprint }), base64: &["/jkt"] },
        "POST /v1/login/verify" => Sample::Json {
            body: json!({ "ceremony": id("cer"), "token": token, "credential": {
                "id": bytes, "client_data_json": bytes, "authenticator_data": bytes, "signature": bytes,
                "user_handle": bytes,
            }}),
            base64: &[
                "/credential/id",
                "/credential/client_data_json",
                "/credential/authenticator_data",
                "/credential/signature",
                "/credential/user_handle",
            ],
        },
        "POST /v1/logout" => Sample::Json { body: json!({ "scope": "this_browser" }), base64: &[] },
        "POST /v1/passkey/rename" => {
            Sample::Json { body: json!({ "id": id("psk"), "name": "Blue" }), base64: &[] }
        }
        "POST /v1/recovery-codes" => {
            let verifiers: Vec<String> =
                (0..10).map(|_| base64url::encode(&world.app.entropy.make::<32>())).collect();
            Sample::Json {
                body: json!({ "verifiers": verifiers }),
                base64: &["/verifiers/0", "/verifiers/9"],
            }
        }
        "POST /v1/connections/tickets" => Sample::Json {
            body: json!({ "stream": "/v1/streams/activity", "client_nonce": thumbprint }),
            base64: &["/client_nonce"],
        },
        "POST /v1/connections/end" => Sample::Json { body: json!({ "id": id("con") }), base64: &[] },
        "POST /v1/connections/{id}/answer" => Sample::Text("ask"),
        "POST /v1/csp-report" => Sample::Report(json!({ "csp-report": {} })),
        new => panic!("{new} stands in protocol/http.md and has no sample here"),
    }
}
