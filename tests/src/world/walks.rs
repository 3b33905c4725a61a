use anyhow::{Context, Result};

use super::World;
use crate::browser::{Browser, Locator, Name, Role};
use crate::wait;

/// Who has signed up, and what they keep.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: &'static str,
    pub email: &'static str,
    /// As they were shown, the first one first.
    pub recovery_codes: Vec<String>,
}

const NAME: &str = "Mara Lindqvist";
const EMAIL: &str = "mara@example.org";

/// What a person does from one page to the next, by role and name alone.
impl World {
    /// From the setup link to the security page, with the passkey and the codes in between.
    pub async fn sign_up(&self, browser: &Browser) -> Result<Person> {
        self.make_passkey(browser).await.context("make the passkey")?;
        let recovery_codes = self.keep_codes(browser).await.context("keep the recovery codes")?;
        browser.by_role(Role::Heading, "Only your passkeys open this.").appears().await?;
        browser.by_role(Role::Button, "Open your security page").click().await?;
        self.security_page_is_live(browser).await?;
        Ok(Person { name: NAME, email: EMAIL, recovery_codes })
    }

    /// The first half of it: ends where the recovery codes are shown.
    pub async fn make_passkey(&self, browser: &Browser) -> Result<()> {
        self.tell_name_and_address(browser).await?;
        browser.by_role(Role::Button, "Create my passkey").click().await?;
        browser.by_role(Role::List, "Recovery codes").appears().await
    }

    /// Fills in the first step of setup, and goes on to the second.
    pub async fn tell_name_and_address(&self, browser: &Browser) -> Result<()> {
        browser.goto(&self.setup_link()).await?;
        browser.by_role(Role::Textbox, "Your name").type_text(NAME).await?;
        browser.by_role(Role::Textbox, "Email address").type_text(EMAIL).await?;
        browser.by_role(Role::Button, "Continue").click().await?;
        browser.by_role(Role::Button, "Create my passkey").appears().await
    }

    /// Reads the codes, types back the one that is asked for, and gives them all.
    pub async fn keep_codes(&self, browser: &Browser) -> Result<Vec<String>> {
        let codes = recovery_codes(browser).await?;
        let asked = asked_code(browser).await?;
        let code = codes.get(asked.wrapping_sub(1)).context("a code of the list is asked for")?;
        code_field(browser).type_text(code).await?;
        browser.by_role(Role::Button, "I have kept them").click().await?;
        Ok(codes)
    }

    /// From the sign-in page to the security page, by the button.
    pub async fn sign_in(&self, browser: &Browser) -> Result<()> {
        browser.by_role(Role::Heading, "Welcome back.").appears().await?;
        browser.by_role(Role::Button, "Sign in with a passkey").click().await?;
        self.security_page_is_live(browser).await
    }

    /// From the security page to the sign-in page.
    pub async fn sign_out(&self, browser: &Browser) -> Result<()> {
        browser.by_role(Role::Button, "Sign out").click().await?;
        browser.by_role(Role::Button, "Sign out of this browser").click().await?;
        browser.by_role(Role::Heading, "Welcome back.").appears().await
    }

    /// Waits until the security page is there and its own connection proven.
    pub async fn security_page_is_live(&self, browser: &Browser) -> Result<()> {
        browser.by_role(Role::HeadingLevel(1), "Only your passkeys open this.").appears().await?;
        browser.page_says("This connection is proven").await
    }
}

/// The codes that are shown, the first one first.
pub async fn recovery_codes(browser: &Browser) -> Result<Vec<String>> {
    let list = browser.by_role(Role::List, "Recovery codes");
    list.appears().await?;
    list.by_role(Role::ListItem, Name::Any).texts().await
}

/// Which code is to be typed back, counted from one.
pub async fn asked_code(browser: &Browser) -> Result<usize> {
    let label = code_field(browser).name().await?;
    let number = label.split(' ').nth(2).context("the label names a number")?;
    number.parse().with_context(|| format!("{label:?} names a number"))
}

/// Where it is typed.
pub fn code_field(browser: &Browser) -> Locator<'_> {
    browser.by_role(Role::Textbox, Name::Containing("Type code ".to_owned()))
}

/// The prompt of the console: what is read there begins like this, and is confirmed.
pub async fn confirm(browser: &Browser, deed: &str) -> Result<()> {
    let prompt = prompt(browser);
    prompt.says(deed).await?;
    prompt.by_role(Role::Button, "Confirm with a passkey").click().await?;
    prompt.disappears().await
}

/// What has an action confirmed in the console.
pub fn prompt(browser: &Browser) -> Locator<'_> {
    browser.by_role(Role::Dialog, "Confirm with your passkey")
}

/// How many answers of the only live connection in sight came on time.
pub async fn answers_on_time(browser: &Browser) -> Result<u32> {
    let pulse = browser.by_role(Role::Region, "Live connections");
    let name = pulse.by_role(Role::Image, Name::Containing("on time".to_owned())).name().await?;
    let (_, said) = name.split_once(": ").with_context(|| format!("{name:?} counts answers"))?;
    let number = said.split(' ').next().unwrap_or_default();
    number.parse().with_context(|| format!("{name:?} counts answers"))
}

/// Waits until more answers came on time than before.
pub async fn answers_more_than(browser: &Browser, before: u32) -> Result<()> {
    let more = wait::until(async || Ok((answers_on_time(browser).await? > before).then_some(())));
    more.await?.context("no further challenge was answered")
}
