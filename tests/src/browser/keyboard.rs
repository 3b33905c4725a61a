use anyhow::{Context, Result, bail};
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;

use super::Browser;
use super::locator;
use crate::wait;

/// What a person does with the keyboard alone.
impl Browser {
    /// Presses one key and lets it go.
    pub async fn press(&self, key: Key) -> Result<()> {
        self.press_holding(&[], key).await
    }

    /// Presses one key while others are held: `press_holding(&[Key::Shift], Key::Tab)`.
    pub async fn press_holding(&self, held: &[Key], key: Key) -> Result<()> {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for held in held {
            keys = keys.then(KeyAction::Down { value: (*held).into() });
        }
        keys = keys.then(KeyAction::Down { value: key.into() }).then(KeyAction::Up { value: key.into() });
        for held in held.iter().rev() {
            keys = keys.then(KeyAction::Up { value: (*held).into() });
        }
        self.client.perform_actions(keys).await.with_context(|| format!("press {key:?}"))
    }

    /// Presses Tab, holding these keys, until what has this role and name has the focus.
    pub async fn tab_to(&self, held: &[Key], role: &str, name: &str) -> Result<()> {
        for _ in 0..30 {
            if self.has_focus(role, name).await? {
                return Ok(());
            }
            self.press_holding(held, Key::Tab).await?;
        }
        bail!("the keyboard does not reach the {role} {name:?}\n{}", self.description().await)
    }

    /// Types into whatever has the focus.
    pub async fn type_keys(&self, text: &str) -> Result<()> {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for value in text.chars() {
            keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(keys).await.context("type")
    }

    /// Waits until what has this role and name has the focus.
    pub async fn focuses(&self, role: &str, name: &str) -> Result<()> {
        let focused = wait::until(async || Ok(self.has_focus(role, name).await?.then_some(())));
        let focused = focused.await?;
        focused.with_context(|| format!("the focus should be at the {role} {name:?}"))
    }

    async fn has_focus(&self, role: &str, name: &str) -> Result<bool> {
        let (at, called) = self.focused().await?;
        Ok(at == role && called == name)
    }

    /// Role and accessible name of what has the focus.
    pub async fn focused(&self) -> Result<(String, String)> {
        let element = self.client.active_element().await.context("ask for the focus")?;
        locator::role_and_name(self, &element).await
    }
}
