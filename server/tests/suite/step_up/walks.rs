use super::stage::add_passkey;
use crate::support::{Browser, World, passkey_of, run};
use holdfast_protocol::{
    base64url,
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
        other => panic!("{other} is declared as an action, and has no entry here"),
    };
    Walk { parameters, other, secret: None }
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
