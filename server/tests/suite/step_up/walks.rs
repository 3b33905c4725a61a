use super::stage::add_passkey;
use crate::support::{Browser, World, passkey_of, run};
use holdfast_protocol::{
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
    /// What is sent beside the parameters, where they hold a commitment.
    pub secret: Option<Value>,
}

/// Prepares the world for an action of this account, whose session is signed in already.
pub async fn prepare(world: &World, account: &AccountId, kind: Kind) -> Walk {
    let mut secret = None;
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
            let approval = |agent| {
                json!({ "agent": agent, "name": "Shopper", "scope": "full", "budget": "20.00",
                                           "expires_at_ms": expires_at_ms })
            };
            (approval(world.agent(account).await.id), approval(world.agent(account).await.id))
        }
        "agent.revoke" | "agent.teardown" => {
            let named = |agent| json!({ "agent": agent, "name": "Shopper" });
            (named(world.agent(account).await.id), named(world.agent(account).await.id))
        }
        other => panic!("{other} is declared as an action, and has no entry here"),
    };
    Walk { parameters, other, secret }
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
