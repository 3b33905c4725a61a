//! `cargo xtask shots`: every page at phone and desktop width, in light and dark, to be looked at.

use anyhow::{Context as _, Result};
use holdfast_protocol::history::{Activity, TheftSign};
use holdfast_tests::{
    browser::{AuthenticatorOptions, Browser, ColorScheme, Key, Kind, Name, Role},
    world::{World, answers_more_than, answers_on_time},
};
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
    browser.by_role(Role::Button, "Sign out").click().await?;
    browser.by_role(Role::Button, "Sign out of this browser").appears().await?;
    shots.take("sign-out").await?;
    browser.by_role(Role::Button, "Sign out everywhere").click().await?;
    browser.by_role(Role::Dialog, "Sign out everywhere?").appears().await?;
    shots.take("sign-out-everywhere").await?;
    browser.by_role(Role::Button, "Cancel").click().await?;
    browser.press(Key::Escape).await?;
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
    let confirm = browser.by_role(Role::Button, "Confirm with a passkey");
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
        confirm.click().await?;
        browser.page_says("is stored.").await?;
    }
    world.run_sql("UPDATE credentials SET key_id = 'lost', channel = 'agt_7q4m-2f9k-xw1d-0h3t' WHERE name LIKE 'd%'").await?;
    browser.reload().await?;
    browser.page_says("unreadable").await?;
    shots.take("credentials").await?;
    browser.by_role(Role::Button, "Delete OPENAI_API_KEY, Every agent").click().await?;
    confirm.appears().await?;
    shots.take("credentials-delete").await?;
    browser.by_role(Role::Button, "Cancel").click().await?;

    browser.goto(&world.at("/console/terminal")).await?;
    let open = browser.by_role(Role::Button, "Open a terminal");
    open.appears().await?;
    shots.take("terminal").await?;
    open.click().await?;
    confirm.click().await?;
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
