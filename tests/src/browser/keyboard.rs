use anyhow::{Context, Result};
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;

use super::Browser;
use super::locator;

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

    /// Types into whatever has the focus.
    pub async fn type_keys(&self, text: &str) -> Result<()> {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for value in text.chars() {
            keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(keys).await.context("type")
    }

    /// Role and accessible name of what has the focus.
    pub async fn focused(&self) -> Result<(String, String)> {
        let element = self.client.active_element().await.context("ask for the focus")?;
        locator::role_and_name(self, &element).await
    }
}
