use super::{changes::optional, stage::add_passkey};
use crate::support::{Browser, Program, World, passkey_of, run};
use holdfast_protocol::{
    agents::Pairing,
    base64url::{self, Bytes},
    commitment::Opening,
    ids::{AccountId, WalletId},
    step_up::Kind,
    wallet::{Usd, WalletView},
};
use serde_json::{Value, json};

/// What an action needs to be walked through the table.
pub struct Walk {
    /// Parameters with which it can be carried out, once.
    pub parameters: Value,
    /// The same about something else.
    pub other: Value,
    /// The optional members that the parameters do without, as they could be.
    pub left_out: Value,
    /// What is sent beside the parameters, where they hold a commitment.
    pub secret: Option<Value>,
}

/// With which of its optional members an action is walked.
#[derive(Clone, Copy, PartialEq)]
pub enum Way {
    /// With all that there are.
    Whole,
    /// With none.
    Bare,
}

impl Way {
    /// The ways in which this action can be walked.
    pub fn of(kind: Kind) -> Vec<Self> {
        if optional(kind).is_empty() { vec![Way::Whole] } else { vec![Way::Whole, Way::Bare] }
    }
}

/// Prepares the world for an action of this account, whose session is signed in already.
pub async fn prepare(world: &World, account: &AccountId, kind: Kind, way: Way) -> Walk {
    let (mut secret, mut left_out) = (None, json!({}));
    let (parameters, other) = match kind.as_str() {
        "passkey.remove" => {
            let (phone, _) = add_passkey(world, account, "Old phone").await;
            let (tablet, _) = add_passkey(world, account, "Old tablet").await;
            (json!({ "id": phone, "name": "Old phone" }), json!({ "id": tablet, "name": "Old tablet" }))
        }
        "passkey.test" => {
            let (phone, _) = add_passkey(world, account, "Old phone").await;
            (json!({ "id": passkey_of(account), "name": "Key" }), json!({ "id": phone, "name": "Old phone" }))
        }
        "passkey.register.additional" => {
            let other = world.account().await;
            (
                json!({ "account": account, "email": email(account) }),
                json!({ "account": other, "email": email(&other) }),
            )
        }
        "recovery_codes.regenerate" => {
            let sql = "INSERT INTO recovery_code_lists (account_id, total, created_at_ms) VALUES ($1, 10, 1)";
            run!(world.app.db, sql, account.as_str());
            let other = world.account().await;
            let regeneration = |account: &AccountId| json!({ "account": account, "email": email(account), "verifiers": verifiers(world) });
            (regeneration(account), regeneration(&other))
        }
        "wallet.send" => {
            let browser = world.sign_in(account).await;
            let from = wallet(&browser).await;
            holdfast_server::ledger::issue(&world.app, &from, Usd::parse("40.00").unwrap()).await.unwrap();
            let (ada, other) = (wallet(&world.browser().await).await, wallet(&world.browser().await).await);
            left_out = json!({ "note": "For lunch" });
            let send = |to: &WalletId| json!({ "from": from, "to": to, "to_name": "Ada", "amount": "12.50" });
            (send(&ada), send(&other))
        }
        "credential.set" => {
            let [opening, another] = [b"hunter2", b"hunter3"].map(|value| Opening {
                salt: Bytes(world.app.entropy.make::<16>().to_vec()),
                value: Bytes(value.to_vec()),
            });
            let storing = |opening: &Opening| json!({ "name": "KEY", "channel": "chat", "commitment": opening.commitment() });
            secret = serde_json::to_value(&opening).ok();
            (storing(&opening), storing(&another))
        }
        "credential.remove" => {
            let sql =
                "INSERT INTO credentials (account_id, name, channel, key_id, nonce, sealed, stored_at_ms)
                       VALUES ($1, $2, 'chat', 'none', $3, $4, 1)";
            for name in ["OLD", "OTHER"] {
                run!(world.app.db, sql, account.as_str(), name, [0_u8; 12].as_slice(), [0_u8; 17].as_slice());
            }
            let removal = |name| json!({ "name": name, "channel": "chat" });
            (removal("OLD"), removal("OTHER"))
        }
        "terminal.open" => {
            run!(world.app.db, "UPDATE accounts SET role = 'admin' WHERE id = $1", account.as_str());
            let other = world.account().await;
            let admission = |account: &AccountId| json!({ "account": account, "email": email(account) });
            (admission(account), admission(&other))
        }
        "agent_session.approve" => {
            let expires_at_ms = world.clock.now().unix_ms + 300 * 86_400_000;
            let limits = |agent| {
                json!({ "agent": agent, "name": "Shopper", "scope": "workspace", "budget": "20.00",
                        "expires_at_ms": expires_at_ms })
            };
            if way == Way::Whole {
                let (asks, another) = (ask(world).await, ask(world).await);
                // The table takes longer than a code lives.
                run!(world.app.db, "UPDATE pairings SET expires_at_ms = expires_at_ms + 86400000");
                let pairing = |asks: Pairing| with(limits(asks.agent), &json!({ "code": asks.code }));
                (pairing(asks), pairing(another))
            } else {
                left_out = json!({ "code": "0000-0000" });
                (limits(world.agent(account).await.id), limits(world.agent(account).await.id))
            }
        }
        "agent.revoke" | "agent.teardown" => {
            let named = |agent| json!({ "agent": agent, "name": "Shopper" });
            (named(world.agent(account).await.id), named(world.agent(account).await.id))
        }
        other => panic!("{other} is declared as an action, and has no entry here"),
    };
    if way == Way::Bare {
        return Walk { parameters, other, left_out, secret };
    }
    let [parameters, other] = [parameters, other].map(|bare| with(bare, &left_out));
    Walk { parameters, other, left_out: json!({}), secret }
}

fn with(mut parameters: Value, more: &Value) -> Value {
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    parameters
}

/// An agent asks to be paired.
async fn ask(world: &World) -> Pairing {
    let wish = json!({ "name": "Shopper", "scope": "full", "budget": "50.00" });
    Program::ask(world.address, "/v1/agents/pairings", &wish).await.json()
}

/// The browser's own wallet, opened by looking at it.
async fn wallet(browser: &Browser) -> WalletId {
    let WalletView { id, .. } = browser.get("/v1/wallet").await.json();
    id
}

fn email(account: &AccountId) -> String {
    format!("{account}@example.org")
}

fn verifiers(world: &World) -> Vec<String> {
    (0..10).map(|_| base64url::encode(&world.app.entropy.make::<32>())).collect()
}
