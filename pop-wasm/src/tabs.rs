use crate::{channel::Channel, proof::joined};
use holdfast_protocol::{ids::Thumbprint, parts::cut};
use wasm_bindgen::JsValue;

const NAME: &str = "holdfast-pop";

/// What tabs of one browser tell each other. Only hints: who hears one looks into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// This key is current now.
    Adopted(Thumbprint),
    /// This key is gone.
    Destroyed(Thumbprint),
}

impl News {
    fn parse(text: &str) -> Option<Self> {
        let (word, thumbprint) = cut(text, b' ')?;
        let thumbprint = Thumbprint::parse(thumbprint).ok()?;
        match word {
            "adopted" => Some(News::Adopted(thumbprint)),
            "destroyed" => Some(News::Destroyed(thumbprint)),
            _ => None,
        }
    }

    fn encode(&self) -> String {
        match self {
            News::Adopted(thumbprint) => joined(&["adopted ", thumbprint.as_str()]),
            News::Destroyed(thumbprint) => joined(&["destroyed ", thumbprint.as_str()]),
        }
    }
}

/// The channel to the other tabs; closed when dropped.
pub(crate) struct Tabs(Channel);

impl Tabs {
    /// None where the browser has no channels: each tab then learns from the server's refusals.
    pub(crate) fn open(hear: impl Fn(News) + 'static) -> Option<Self> {
        let channel = Channel::open(NAME, move |message| {
            if let Some(news) = message.as_string().as_deref().and_then(News::parse) {
                hear(news);
            }
        });
        channel.map(Self)
    }

    pub(crate) fn tell(&self, news: &News) {
        self.0.post(&JsValue::from_str(&news.encode()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_as_they_are_written() {
        let thumbprint = Thumbprint::from_hash(&[7; 32]);
        for news in [News::Adopted(thumbprint.clone()), News::Destroyed(thumbprint)] {
            assert_eq!(News::parse(&news.encode()), Some(news));
        }
        for other in ["", "adopted", "adopted x", "stolen 0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"] {
            assert_eq!(News::parse(other), None, "{other}");
        }
    }
}
