//! `cargo xtask shots`: every page at phone and desktop width, in light and dark, to be looked at.

#[path = "shots/keys.rs"]
mod keys;

use anyhow::{Context as _, Result};
use holdfast_protocol::history::{Activity, TheftSign};
use holdfast_protocol::{ids::WalletId, wallet::Usd};
use holdfast_tests::{
    browser::{Authenticator, AuthenticatorOptions, Browser, ColorScheme, Key, Kind, Name, Role},
    world::{World, answers_more_than, answers_on_time, confirm, prompt},
};
use serde_json::{Value, json};
use std::{env, fs, path::PathBuf, time::Duration};

const WIDTHS: [(u32, u32); 2] = [(360, 780), (1280, 900)];

struct Shots<'a> {
    browser: &'a Browser,
    folder: PathBuf,
    taken: u32,
}

impl Shots<'_> {
    /// The whole page, however long, in each width and scheme.
    async fn take(&mut self, name: &str) -> Result<()> {
        self.taken += 1;
        for (width, height) in WIDTHS {
            for (scheme, word) in [(ColorScheme::Light, "light"), (ColorScheme::Dark, "dark")] {
                self.browser.prefer(scheme).await?;
                self.browser.set_window_size(width, height).await?;
                let whole = self.browser.execute("return document.documentElement.scrollHeight", &[]).await?;
                let whole = whole.as_u64().and_then(|px| u32::try_from(px).ok()).unwrap_or(height);
                self.browser.set_window_size(width, whole.max(height)).await?;
                let file = format!("{:02}-{name}-{width}-{word}.png", self.taken);
                self.browser.screenshot(&self.folder.join(file)).await?;
            }
        }
        println!("{name}");
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = env::var_os("HOLDFAST_SHOTS_DIR")
        .context("HOLDFAST_SHOTS_DIR is not set; run `cargo xtask shots`")?;
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder)?;
    let mut world = World::new().await?;
    let browser = world.browser(Kind::Chromium).await?;
    let authenticator = browser.add_authenticator(AuthenticatorOptions::default()).await?;
    let mut shots = Shots { browser: &browser, folder, taken: 0 };

    browser.goto(&world.at("/setup")).await?;
    browser.by_role(Role::Textbox, "Setup token").appears().await?;
    shots.take("setup-without-link").await?;
    browser.goto(&world.setup_link()).await?;
    browser.by_role(Role::Textbox, "Your name").appears().await?;
    shots.take("setup").await?;
    browser.by_role(Role::Button, "Continue").click().await?;
    shots.take("setup-with-slips").await?;
    world.tell_name_and_address(&browser).await?;
    shots.take("setup-passkey").await?;
    authenticator.refuse_person().await?;
    browser.by_role(Role::Button, "Create my passkey").click().await?;
    browser.by_role(Role::Alert, Name::Any).appears().await?;
    shots.take("setup-passkey-refused").await?;
    authenticator.verify_person().await?;

    browser.by_role(Role::Button, "Create my passkey").click().await?;
    browser.by_role(Role::List, "Recovery codes").appears().await?;
    shots.take("recovery-codes").await?;
    world.keep_codes(&browser).await?;
    browser.by_role(Role::Button, "Open your security page").appears().await?;
    shots.take("done").await?;
    browser.by_role(Role::Button, "Open your security page").click().await?;
    world.security_page_is_live(&browser).await?;
    for _ in 0..6 {
        let before = answers_on_time(&browser).await?;
        world.pass(Duration::from_secs(36));
        answers_more_than(&browser, before).await?;
    }
    shots.take("security").await?;
    browser.by_role(Role::Button, Name::Containing("Rename".to_owned())).click().await?;
    browser.by_role(Role::Textbox, "New name").appears().await?;
    shots.take("rename").await?;
    browser.by_role(Role::Button, "Cancel").click().await?;
    wallet(&mut shots, &world, &authenticator).await?;
    agents(&mut shots, &world).await?;
    browser.goto(&world.at("/security")).await?;
    world.security_page_is_live(&browser).await?;
    browser.by_role(Role::Button, "Sign out").click().await?;
    browser.by_role(Role::Button, "Sign out of this browser").appears().await?;
    shots.take("sign-out").await?;
    browser.by_role(Role::Button, "Sign out everywhere").click().await?;
    browser.by_role(Role::Dialog, "Sign out everywhere?").appears().await?;
    shots.take("sign-out-everywhere").await?;
    browser.by_role(Role::Button, "Cancel").click().await?;
    browser.press(Key::Escape).await?;
    keys::take(&mut shots, &world, &authenticator).await?;
    world.happens([Activity::TheftSuspected { sign: TheftSign::ForeignKey }]).await?;
    browser.by_role(Role::Alert, Name::Any).appears().await?;
    shots.take("security-alarm").await?;
    world.stop().await?;
    browser.page_says("Try now").await?;
    shots.take("security-server-away").await?;
    world.start().await?;
    browser.reload().await?;
    world.security_page_is_live(&browser).await?;
    world.sign_out(&browser).await?;
    shots.take("sign-in").await?;
    authenticator.refuse_person().await?;
    browser.by_role(Role::Button, "Sign in with a passkey").click().await?;
    browser.by_role(Role::Alert, Name::Any).appears().await?;
    shots.take("sign-in-refused").await?;
    authenticator.verify_person().await?;
    browser.by_role(Role::Button, "Sign in with a passkey").click().await?;
    world.security_page_is_live(&browser).await?;
    secrets(&world, &mut shots).await
}

/// Credentials and the terminal.
async fn secrets(world: &World, shots: &mut Shots<'_>) -> Result<()> {
    let browser = shots.browser;
    browser.goto(&world.at("/console/credentials")).await?;
    browser.page_says("Nothing is stored yet.").await?;
    shots.take("credentials-none").await?;
    let store = browser.by_role(Role::Button, "Store");
    store.click().await?;
    shots.take("credentials-slip").await?;
    for name in ["OPENAI_API_KEY", "deploy.production-signing-key"] {
        browser.by_role(Role::Textbox, "Name").type_text(name).await?;
        browser.by_role(Role::Textbox, "Value").type_text("not a real one").await?;
        store.click().await?;
        confirm(browser, "Store the credential").await?;
        browser.page_says("is stored.").await?;
    }
    world.run_sql("UPDATE credentials SET key_id = 'lost', channel = 'agt_7q4m-2f9k-xw1d-0h3t' WHERE name LIKE 'd%'").await?;
    browser.reload().await?;
    browser.page_says("unreadable").await?;
    shots.take("credentials").await?;
    browser.by_role(Role::Button, "Delete OPENAI_API_KEY, Every agent").click().await?;
    prompt(browser).says("Delete the credential").await?;
    shots.take("credentials-delete").await?;
    browser.by_role(Role::Button, "Cancel").click().await?;

    browser.goto(&world.at("/console/terminal")).await?;
    let open = browser.by_role(Role::Button, "Open a terminal");
    open.appears().await?;
    shots.take("terminal").await?;
    open.click().await?;
    confirm(browser, "Open a terminal").await?;
    browser.page_says("proven").await?;
    browser
        .type_keys(
            "ls --color=always /usr; printf '\\033[33myellow \\033[1;34mbold blue\\033[0m\\n'; echo do''ne\n",
        )
        .await?;
    browser.by_role(Role::ListItem, Name::Any).saying("done").appears().await?;
    shots.take("terminal-open").await?;
    browser.type_keys("exit\n").await?;
    browser.page_says("The shell has ended.").await?;
    shots.take("terminal-ended").await
}

/// The wallet, and the prompt in each of its states.
async fn wallet(shots: &mut Shots<'_>, world: &World, authenticator: &Authenticator<'_>) -> Result<()> {
    let browser = shots.browser;
    browser.goto(&world.at("/console/wallet")).await?;
    browser.page_says("Nothing has come or gone yet.").await?;
    shots.take("wallet-empty").await?;
    let mine = world.column("SELECT id FROM wallets WHERE account_id IS NOT NULL").await?;
    world.issue(&WalletId::parse(mine.first().context("a wallet")?)?, Usd::parse("2154.10")?).await?;
    world.has_somebody_to_send_to().await?;
    browser.reload().await?;
    browser.page_says("$2,154.10").await?;
    browser.by_role(Role::Button, "Send").click().await?;
    browser.page_says("Write how much.").await?;
    shots.take("wallet-with-slips").await?;
    for (label, text) in [
        ("Their wallet's id", "wal_1111-1111-1111-1111"),
        ("Their name", "Mara “M”"),
        ("Amount in US dollars", "250"),
        ("Note (if you like)", "Rent for “the shed”, November"),
    ] {
        browser.by_role(Role::Textbox, label).type_text(text).await?;
    }
    shots.take("wallet-filled").await?;
    let send = browser.by_role(Role::Button, "Send");
    let confirm = browser.by_role(Role::Button, "Confirm with a passkey");
    let alert = browser.by_role(Role::Alert, Name::Any);
    world.wire().hold("/v1/wallet/send/stepup");
    send.click().await?;
    browser.page_says("Getting the confirmation ready").await?;
    shots.take("prompt-asking").await?;
    world.wire().mend();
    browser.page_says("This is done once").await?;
    shots.take("prompt").await?;
    authenticator.refuse_person().await?;
    confirm.click().await?;
    alert.appears().await?;
    shots.take("prompt-closed-by-person").await?;
    authenticator.verify_person().await?;
    world.wire().lose_answers("/v1/wallet/send");
    confirm.click().await?;
    browser.by_role(Role::Button, "Send the same request again").appears().await?;
    shots.take("prompt-unanswered").await?;
    browser.by_role(Role::Button, "Close").click().await?;
    alert.appears().await?;
    shots.take("wallet-unanswered").await?;
    world.wire().mend();
    browser.by_role(Role::Button, "Send it, if it has not gone").click().await?;
    browser.page_says("went to").await?;
    shots.take("wallet-sent").await?;
    for (label, text) in [
        ("Their wallet's id", "wal_1111-1111-1111-1111"),
        ("Their name", "Mara “M”"),
        ("Amount in US dollars", "3.20"),
    ] {
        browser.by_role(Role::Textbox, label).type_text(text).await?;
    }
    world
        .wire()
        .lie("/v1/wallet/send/stepup", |options| options["ceremony"] = "cer_0000-0000-0000-0000".into());
    send.click().await?;
    alert.appears().await?;
    shots.take("prompt-alarm").await?;
    world.wire().mend();
    browser.by_role(Role::Button, "Close").click().await?;
    const COOLDOWN: &str = "
        UPDATE accounts SET cooldown_from_ms = created_at_ms, cooldown_until_ms = created_at_ms + 86400000";
    world.run_sql(COOLDOWN).await?;
    send.click().await?;
    alert.appears().await?;
    shots.take("prompt-cooldown").await?;
    browser.by_role(Role::Button, "Close").click().await?;
    world.run_sql("UPDATE accounts SET cooldown_from_ms = NULL, cooldown_until_ms = NULL").await.map(drop)
}

/// Agents, from none at all to one that is revoked.
async fn agents(shots: &mut Shots<'_>, world: &World) -> Result<()> {
    let browser = shots.browser;
    let press = async |button: &str| browser.by_role(Role::Button, button).click().await;
    let budget = async |amount: &str| {
        let field = browser.by_role(Role::Textbox, "Budget in US dollars");
        field.clear().await?;
        field.type_text(amount).await
    };
    browser.goto(&world.at("/console/agents")).await?;
    browser.page_says("No agent works for you yet.").await?;
    shots.take("agents-none").await?;
    let wish = json!({ "name": "Shopper", "scope": "full", "budget": "50.00" });
    let asked = as_agent(browser, "/v1/agents/pairings", &wish, "").await?;
    let code = asked["code"].as_str().context("a code")?;
    // The world's clock is ahead of the browser's by what has passed in it.
    world.run_sql("UPDATE pairings SET expires_at_ms = expires_at_ms - 216000").await?;
    browser.goto(&world.at(&format!("/console/agents?code={code}"))).await?;
    browser.page_says("This code came with the link").await?;
    shots.take("agents-code-from-a-link").await?;
    press("See who asks").await?;
    browser.page_says("This agent asks to work for you").await?;
    shots.take("agents-asked").await?;
    browser.by_role(Role::Radio, "Every file of the machine").click().await?;
    budget("50,00").await?;
    press("Pair this agent").await?;
    browser.page_says("Use digits").await?;
    shots.take("agents-every-file-and-a-slip").await?;
    browser.by_role(Role::Radio, "The workspace's files").click().await?;
    budget("20").await?;
    press("Pair this agent").await?;
    browser.page_says("This is done once").await?;
    shots.take("agents-prompt").await?;
    press("Confirm with a passkey").await?;
    browser.page_says("is paired.").await?;
    shots.take("agents-paired").await?;
    let claim = json!({ "secret": asked["secret"] });
    let claimed = as_agent(browser, "/v1/agents/pairings/claim", &claim, "").await?;
    let token = claimed["token"].as_str().context("a token")?;
    for (amount, merchant) in [("3.50", "Books"), ("0.000125", "Tokens, by the thousand"), ("90.00", "Shoes")]
    {
        let merchant = json!({ "name": merchant, "settlement_token": "USDC" });
        let charge = json!({ "amount": amount, "merchant": merchant });
        as_agent(browser, "/v1/agents/charges", &charge, token).await?;
    }
    browser.page_says("wanted to pay 90.00 USD").await?;
    shots.take("agents-at-work").await?;
    press("Change limits Shopper").await?;
    budget("4").await?;
    shots.take("agents-limits").await?;
    press("Set these limits").await?;
    browser.page_says("in all from now on.").await?;
    shots.take("agents-cut").await?;
    press("Tear down Shopper").await?;
    browser.page_says("No credential is stored for it alone").await?;
    shots.take("agents-teardown").await?;
    press("Cancel").await?;
    press("Revoke Shopper").await?;
    press("Confirm with a passkey").await?;
    browser.page_says("is revoked.").await?;
    shots.take("agents-revoked").await
}

/// What an agent asks for, from a page of its own origin.
async fn as_agent(browser: &Browser, path: &str, body: &Value, token: &str) -> Result<Value> {
    const ASK: &str = "
        const [path, body, token] = arguments;
        const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() };
        if (token) headers.authorization = `Bearer ${token}`;
        const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
        return answer.json();";
    browser.execute_async(ASK, &[json!(path), body.clone(), json!(token)]).await
}
