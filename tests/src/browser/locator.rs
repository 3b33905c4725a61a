use std::fmt;

use anyhow::{Context, Result, anyhow, bail};
use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::key::Key;
use serde_json::{Value, json};

use super::devtools::Command;
use super::{Browser, Role};
use crate::wait;

/// The accessible name that is looked for; white space counts as one space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// Any, and none: list items and alerts have no name of their own.
    Any,
    Exactly(String),
    Containing(String),
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self::Exactly(normalised(name))
    }
}

/// A part of the page, described as a person would describe it. It is looked for anew whenever
/// something is done with it, and waited for until exactly one visible part matches; so it never goes
/// stale when the page redraws itself.
#[derive(Clone, Debug)]
pub struct Locator<'browser> {
    browser: &'browser Browser,
    scope: Option<Box<Locator<'browser>>>,
    role: Role,
    name: Name,
    text: Option<String>,
}

impl<'browser> Locator<'browser> {
    pub(super) fn new(browser: &'browser Browser, role: Role, name: Name) -> Self {
        Self { browser, scope: None, role, name, text: None }
    }

    /// A part inside this one.
    pub fn by_role(&self, role: Role, name: impl Into<Name>) -> Locator<'browser> {
        let scope = Some(Box::new(self.clone()));
        Locator { scope, ..Locator::new(self.browser, role, name.into()) }
    }

    /// Of several, the one that shows this text: a row, a card, an item of a list.
    #[must_use]
    pub fn saying(self, text: &str) -> Self {
        Self { text: Some(normalised(text)), ..self }
    }

    /// Waits for it to be there.
    pub async fn appears(&self) -> Result<()> {
        self.act("appear", async |_| Ok(())).await
    }

    /// Waits until nothing matches.
    pub async fn disappears(&self) -> Result<()> {
        let gone = wait::until(async || Ok(self.all().await?.is_empty().then_some(())));
        match gone.await? {
            Some(()) => Ok(()),
            None => bail!("{self} is still there\n{}", self.browser.description().await),
        }
    }

    pub async fn click(&self) -> Result<()> {
        self.act("be clicked", async |element| element.click().await).await
    }

    /// Types at the end of what is in it already.
    pub async fn type_text(&self, text: &str) -> Result<()> {
        self.act("be typed into", async |element| element.send_keys(text).await).await
    }

    /// Empties it, as a person does: WebDriver's own command tells the page of no input.
    pub async fn clear(&self) -> Result<()> {
        let keys =
            format!("{}a{}{}", char::from(Key::Control), char::from(Key::Null), char::from(Key::Backspace));
        self.act("be cleared", async |element| element.send_keys(&keys).await).await
    }

    /// The text that it shows, white space made one space.
    pub async fn text(&self) -> Result<String> {
        let text = self.act("show its text", async |element| element.prop("innerText").await).await?;
        Ok(normalised(&text.unwrap_or_default()))
    }

    /// What is typed into it.
    pub async fn value(&self) -> Result<String> {
        let value = self.act("show its value", async |element| element.prop("value").await).await?;
        Ok(value.unwrap_or_default())
    }

    /// Its accessible name.
    pub async fn name(&self) -> Result<String> {
        let element = self.act("be there", async |element| Ok(element.clone())).await?;
        let (_, name) = role_and_name(self.browser, &element).await?;
        Ok(name)
    }

    /// One of its attributes: `aria-expanded`, `aria-describedby`, `autocomplete`.
    pub async fn attribute(&self, attribute: &str) -> Result<Option<String>> {
        self.act("show its attributes", async |element| element.attr(attribute).await).await
    }

    pub async fn is_enabled(&self) -> Result<bool> {
        self.act("tell its state", async |element| element.is_enabled().await).await
    }

    /// Waits until its text contains `sentence`.
    pub async fn says(&self, sentence: &str) -> Result<()> {
        let wanted = normalised(sentence);
        self.clone().saying(&wanted).appears().await
    }

    /// How many match now, without waiting.
    pub async fn count(&self) -> Result<usize> {
        Ok(self.all().await?.len())
    }

    /// The texts of all that match now, without waiting.
    pub async fn texts(&self) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for element in self.all().await? {
            texts.push(normalised(&element.prop("innerText").await?.unwrap_or_default()));
        }
        Ok(texts)
    }

    /// Waits until exactly one part matches and `action` succeeds on it. A part that was redrawn,
    /// covered or not ready in between is looked for again.
    async fn act<T>(&self, what: &str, action: impl AsyncFn(&Element) -> Result<T, CmdError>) -> Result<T> {
        let mut obstacle = String::from("nothing matches");
        let done = wait::until(async || {
            let found = self.all().await?;
            let [element] = found.as_slice() else {
                obstacle = match found.len() {
                    0 => String::from("nothing matches"),
                    several => format!("{several} match"),
                };
                return Ok(None);
            };
            match action(element).await {
                Ok(done) => Ok(Some(done)),
                Err(error) if passes(&error) => {
                    obstacle = error.to_string();
                    Ok(None)
                }
                Err(error) => Err(error.into()),
            }
        });
        match done.await? {
            Some(done) => Ok(done),
            None => bail!("{self} should {what}: {obstacle}\n{}", self.browser.description().await),
        }
    }

    /// All visible parts that match now.
    async fn all(&self) -> Result<Vec<Element>> {
        match self.look().await {
            Ok(found) => Ok(found),
            Err(error) if error.downcast_ref::<CmdError>().is_some_and(passes) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn look(&self) -> Result<Vec<Element>> {
        let scope = match &self.scope {
            None => Value::Null,
            Some(scope) => match Box::pin(scope.look()).await?.as_slice() {
                [one] => serde_json::to_value(one)?,
                _ => return Ok(Vec::new()),
            },
        };
        let words: Vec<&str> = match &self.name {
            Name::Any => Vec::new(),
            Name::Exactly(name) | Name::Containing(name) => name.split(' ').collect(),
        };
        let arguments = vec![scope, json!(self.role.candidates()), json!(words), json!(self.text)];
        let client = &self.browser.client;
        let candidates = client.execute(include_str!("candidates.js"), arguments).await?;
        let mut found = Vec::new();
        for candidate in candidates.as_array().context("candidates are a list")? {
            let element = element(self.browser, candidate)?;
            if self.matches(&element).await? {
                found.push(element);
            }
        }
        Ok(found)
    }

    async fn matches(&self, element: &Element) -> Result<bool> {
        let (role, name) = role_and_name(self.browser, element).await?;
        let named = match &self.name {
            Name::Any => true,
            Name::Exactly(wanted) => name == *wanted,
            Name::Containing(wanted) => name.contains(wanted.as_str()),
        };
        Ok(named && self.role.names().contains(&role.as_str()))
    }
}

impl fmt::Display for Locator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.role)?;
        match &self.name {
            Name::Any => {}
            Name::Exactly(name) => write!(f, " “{name}”")?,
            Name::Containing(name) => write!(f, " “…{name}…”")?,
        }
        if let Some(text) = &self.text {
            write!(f, " saying “{text}”")?;
        }
        match &self.scope {
            Some(scope) => write!(f, " in {scope}"),
            None => Ok(()),
        }
    }
}

/// What the browser tells a screen reader about an element.
pub(super) async fn role_and_name(browser: &Browser, element: &Element) -> Result<(String, String)> {
    let id = element.element_id();
    let ask = async |what: &str| {
        let answer = browser.client.issue_cmd(Command::get(format!("element/{}/{what}", &*id))).await?;
        Ok::<_, CmdError>(answer.as_str().unwrap_or_default().to_owned())
    };
    Ok((ask("computedrole").await?, normalised(&ask("computedlabel").await?)))
}

/// White space made one space, and none at the ends.
pub(super) fn normalised(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the obstacle may go away by itself: the page was redrawn, or something still covers it.
fn passes(error: &CmdError) -> bool {
    let CmdError::Standard(refusal) = error else { return false };
    matches!(
        refusal.error,
        ErrorStatus::StaleElementReference
            | ErrorStatus::NoSuchElement
            | ErrorStatus::ElementClickIntercepted
            | ErrorStatus::ElementNotInteractable
            | ErrorStatus::InvalidElementState
    )
}

/// An element in a script's answer (W3C WebDriver, section "Elements").
fn element(browser: &Browser, reference: &Value) -> Result<Element> {
    const KEY: &str = "element-6066-11e4-a52e-4f735466cecf";
    let id = reference.get(KEY).and_then(Value::as_str);
    let id = id.ok_or_else(|| anyhow!("not an element: {reference}"))?;
    Ok(Element::from_element_id(browser.client.clone(), id.to_owned().into()))
}
