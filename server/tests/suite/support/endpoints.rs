use super::World;
use holdfast_protocol::{base64url, step_up::Kind};
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
    /// By a program, which says no origin.
    Program,
    /// By a program with an agent's token.
    Agent,
    Ceremony,
    SignedIn,
    /// An action; its preflight is an endpoint of its own, which is [`Access::SignedIn`].
    Elevated,
    Ticket,
    Answer,
    /// By a browser, for its device.
    Device,
}

/// A request that has the documented shape.
pub enum Sample {
    NoBody {
        query: &'static str,
    },
    Json {
        body: Value,
        base64: Vec<String>,
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
    let mut endpoints: Vec<Endpoint> = rows.filter_map(row).collect();
    assert!(endpoints.len() >= 19, "the table of addresses is gone");
    let actions = endpoints.iter().filter_map(|endpoint| action(&endpoint.path));
    let preflights = actions.map(|kind| Endpoint {
        method: "POST".to_owned(),
        path: kind.preflight(),
        access: Access::SignedIn,
    });
    let preflights: Vec<Endpoint> = preflights.collect();
    endpoints.extend(preflights);
    endpoints
}

/// The action that is carried out at an address.
fn action(path: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| kind.path() == path)
}

fn row(row: &str) -> Option<Endpoint> {
    let (address, rest) = row.split_once('`')?;
    let (method, path) = address.split_once(" /")?;
    let access = rest.trim_start_matches([' ', '|']);
    let access = match access.split([' ', ',', '|']).next()? {
        "Public" => Access::Public,
        "Program" => Access::Program,
        "Agent" => Access::Agent,
        "Ceremony" => Access::Ceremony,
        "SignedIn" => Access::SignedIn,
        "Elevated" => Access::Elevated,
        "Ticket" => Access::Ticket,
        "Answer" => Access::Answer,
        "Device" => Access::Device,
        other => panic!("{address}: {other} is no access that these tests know"),
    };
    Some(Endpoint { method: method.to_owned(), path: format!("/{}", path.split('?').next()?), access })
}

/// The parameters of an action, and where in them base64url stands; a new action needs some here.
fn parameters(world: &World, kind: Kind) -> (Value, Vec<&'static str>) {
    let account = "acc_0000-0000-0000-0000";
    let email = "mara@example.org";
    match kind {
        Kind::PasskeyRemove => (json!({ "id": "psk_0000-0000-0000-0000", "name": "Blue" }), Vec::new()),
        Kind::PasskeyTest => (json!({ "id": "psk_0000-0000-0000-0000", "name": "Blue" }), Vec::new()),
        Kind::PasskeyRegisterAdditional => (json!({ "account": account, "email": email }), Vec::new()),
        Kind::RecoveryCodesRegenerate => (
            json!({ "account": account, "email": email, "verifiers": verifiers(world) }),
            vec!["/verifiers/0", "/verifiers/9"],
        ),
        Kind::WalletSend => {
            let [from, to] = ["wal_1111-1111-1111-1111", "wal_2222-2222-2222-2222"];
            (json!({ "from": from, "to": to, "to_name": "Mara", "amount": "12.50" }), Vec::new())
        }
        Kind::CredentialSet => (
            json!({ "name": "KEY", "channel": "chat", "commitment": base64url::encode(&[7; 32]) }),
            vec!["/commitment"],
        ),
        Kind::TerminalOpen => (json!({ "account": account, "email": email }), Vec::new()),
        Kind::CredentialRemove => (json!({ "name": "KEY", "channel": "chat" }), Vec::new()),
        Kind::AgentApprove => {
            let limits = json!({ "agent": AGENT, "name": "Shopper", "scope": "workspace", "budget": "5.00",
                                 "expires_at_ms": super::world::START_MS + 60_000 });
            (limits, Vec::new())
        }
        Kind::AgentRevoke | Kind::AgentTeardown => (json!({ "agent": AGENT, "name": "Shopper" }), Vec::new()),
    }
}

fn verifiers(world: &World) -> Vec<String> {
    (0..10).map(|_| base64url::encode(&world.app.entropy.make::<32>())).collect()
}

/// An action with a confirmation of the documented shape.
fn elevated(world: &World, kind: Kind) -> Sample {
    let (parameters, base64) = parameters(world, kind);
    let mut base64: Vec<String> = base64.iter().map(|at| format!("/parameters{at}")).collect();
    base64.extend(ASSERTION.map(|at| format!("/confirmation{at}")));
    Sample::Json { body: json!({ "parameters": parameters, "confirmation": confirmation() }), base64 }
}

const ASSERTION: [&str; 5] = [
    "/credential/id",
    "/credential/client_data_json",
    "/credential/authenticator_data",
    "/credential/signature",
    "/credential/user_handle",
];

fn confirmation() -> Value {
    let bytes = base64url::encode(&[1, 2, 3, 4]);
    json!({ "ceremony": "cer_0000-0000-0000-0000", "token": TOKEN, "credential": {
        "id": bytes, "client_data_json": bytes, "authenticator_data": bytes, "signature": bytes,
        "user_handle": bytes,
    }})
}

const AGENT: &str = "agt_0000-0000-0000-0000";
const TOKEN: &str = "e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A request of the documented shape for an address; a new address needs one here.
pub fn sample(world: &World, endpoint: &Endpoint) -> Sample {
    let thumbprint = base64url::encode(&[7; 32]);
    let id = |prefix: &str| format!("{prefix}_0000-0000-0000-0000");
    let bytes = base64url::encode(&[1, 2, 3, 4]);
    let texts = |places: &[&str]| places.iter().map(|at| (*at).to_owned()).collect();
    if endpoint.access == Access::Elevated {
        let none = || panic!("{}: protocol declares no such action", endpoint.path);
        return elevated(world, action(&endpoint.path).unwrap_or_else(none));
    }
    if let Some(kind) = endpoint.path.strip_suffix("/stepup").and_then(action) {
        let (body, base64) = parameters(world, kind);
        return Sample::Json { body, base64: texts(&base64) };
    }
    match endpoint.name().as_str() {
        "GET /v1/activity" => Sample::NoBody { query: "?limit=5&before=9" },
        "GET /v1/security/stepup-log" => Sample::NoBody { query: "?filter=passkey&limit=5&before=9" },
        "GET /v1/streams/activity" | "GET /v1/streams/terminal" => Sample::NoBody { query: "?ticket=none" },
        "POST /v1/sessions/device" | "POST /v1/sessions/device/refresh" => Sample::NoBody { query: "" },
        _ if endpoint.reads() => Sample::NoBody { query: "" },
        "POST /v1/setup/options" => Sample::Json {
            body: json!({ "name": "Mara", "email": "mara@example.org", "jkt": thumbprint }),
            base64: texts(&["/jkt"]),
        },
        "POST /v1/setup/verify" | "POST /v1/passkey/register/verify" => Sample::Json {
            body: json!({ "ceremony": id("cer"), "token": TOKEN, "credential": {
                "id": bytes, "client_data_json": bytes, "attestation_object": bytes, "transports": ["usb"],
            }}),
            base64: texts(&[
                "/credential/id",
                "/credential/client_data_json",
                "/credential/attestation_object",
            ]),
        },
        "POST /v1/login/options" => {
            Sample::Json { body: json!({ "jkt": thumbprint }), base64: texts(&["/jkt"]) }
        }
        "POST /v1/login/verify" => {
            Sample::Json { body: confirmation(), base64: ASSERTION.map(str::to_owned).to_vec() }
        }
        "POST /v1/logout" => Sample::Json { body: json!({ "scope": "this_browser" }), base64: Vec::new() },
        "POST /v1/passkey/rename" => {
            Sample::Json { body: json!({ "id": id("psk"), "name": "Blue" }), base64: Vec::new() }
        }
        "POST /v1/sessions/end-by-passkey" => {
            Sample::Json { body: json!({ "passkey": id("psk") }), base64: Vec::new() }
        }
        "POST /v1/recovery-codes" => Sample::Json {
            body: json!({ "verifiers": verifiers(world) }),
            base64: texts(&["/verifiers/0", "/verifiers/9"]),
        },
        "POST /v1/agents/pairings" => Sample::Json {
            body: json!({ "name": "Shopper", "scope": "workspace", "budget": "5.00" }),
            base64: Vec::new(),
        },
        "POST /v1/agents/pairings/claim" => {
            Sample::Json { body: json!({ "secret": thumbprint }), base64: texts(&["/secret"]) }
        }
        "POST /v1/agents/cap" => {
            Sample::Json { body: json!({ "agent": AGENT, "budget": "5.00" }), base64: Vec::new() }
        }
        "POST /v1/agents/charges" => Sample::Json {
            body: json!({ "amount": "1.00", "merchant": { "name": "Books", "settlement_token": "USDC" } }),
            base64: Vec::new(),
        },
        "POST /v1/connections/tickets" => Sample::Json {
            body: json!({ "stream": "/v1/streams/activity", "client_nonce": thumbprint }),
            base64: texts(&["/client_nonce"]),
        },
        "POST /v1/connections/end" => Sample::Json { body: json!({ "id": id("con") }), base64: Vec::new() },
        "POST /v1/connections/{id}/answer" => Sample::Text("ask"),
        "POST /v1/csp-report" => Sample::Report(json!({ "csp-report": {} })),
        new => panic!("{new} stands in protocol/http.md and has no sample here"),
    }
}
