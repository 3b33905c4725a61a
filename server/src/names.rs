//! What to call a passkey, from what its authenticator and browser say of themselves.

use holdfast_protocol::{history::Device, passkeys::Backup};
use std::{collections::HashMap, sync::LazyLock};

/// Texts by AAGUID.
type List = LazyLock<HashMap<String, String>>;

/// Names of providers.
static PROVIDERS: List = LazyLock::new(|| read(include_str!("../data/aaguid-names.json")));

/// Providers that set the flag "user verified" without verifying anybody, and where that is written. Some parts of
/// a provider may do better, an app than a browser's extension; the AAGUID does not tell them apart.
static CLAIMING: List = LazyLock::new(|| read(include_str!("../data/claiming-providers.json")));

fn read(list: &str) -> HashMap<String, String> {
    serde_json::from_str(list).unwrap_or_else(|error| {
        tracing::error!(%error, "a list of providers is not readable");
        HashMap::new()
    })
}

/// The provider of an authenticator model, where it is known.
pub(crate) fn provider(aaguid: &[u8]) -> Option<&'static str> {
    PROVIDERS.get(&written(aaguid)?).map(String::as_str)
}

/// The provider of an authenticator model, where it is known to say that the person was verified where nobody
/// verified them. Told, and never a ground for a decision: an authenticator may call itself what it likes.
pub(crate) fn claiming_provider(aaguid: &[u8]) -> Option<&'static str> {
    let written = written(aaguid)?;
    PROVIDERS.get(&written).filter(|_| CLAIMING.contains_key(&written)).map(String::as_str)
}

/// An AAGUID as the lists have it.
fn written(aaguid: &[u8]) -> Option<String> {
    let hex: String = aaguid.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?, hex.get(16..20)?, hex.get(20..)?];
    Some(groups.join("-"))
}

/// What a new passkey is called until its owner names it.
pub(crate) fn first_name(provider: Option<&str>, device: &Device) -> String {
    provider.map_or_else(|| format!("Passkey from {}", device.system), str::to_owned)
}

/// `Platform passkey (synced, built-in) @ Mac · Chrome`.
pub(crate) fn display_name(
    provider: Option<&str>,
    backup: Backup,
    transports: &[String],
    device: &Device,
) -> String {
    let has = |transport: &str| transports.iter().any(|known| known == transport);
    let kind = if has("internal") {
        "Platform passkey"
    } else if has("usb") || has("nfc") || has("ble") {
        "Security key"
    } else if has("hybrid") {
        "Phone passkey"
    } else {
        "Passkey"
    };
    let mut traits = vec![match backup {
        Backup::Synced => "synced",
        Backup::NotYetSynced => "not yet synced",
        Backup::DeviceBound => "this device only",
    }];
    let ways = [("internal", "built-in"), ("usb", "USB"), ("nfc", "NFC"), ("ble", "Bluetooth")];
    traits.extend(ways.into_iter().filter(|(transport, _)| has(transport)).map(|(_, words)| words));
    let Device { browser, system } = device;
    format!("{} ({}) @ {system} · {browser}", provider.unwrap_or(kind), traits.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_known() {
        let device = Device { browser: "Chrome".to_owned(), system: "Mac".to_owned() };
        let transports = ["hybrid".to_owned(), "internal".to_owned()];
        assert_eq!(
            display_name(None, Backup::Synced, &transports, &device),
            "Platform passkey (synced, built-in) @ Mac · Chrome"
        );
        let hello = provider(&[
            0x08, 0x98, 0x70, 0x58, 0xca, 0xdc, 0x4b, 0x81, 0xb6, 0xe1, 0x30, 0xde, 0x50, 0xdc, 0xbe, 0x96,
        ]);
        assert_eq!(hello, Some("Windows Hello"));
        assert_eq!(provider(&[0; 16]), None);
        let usb = ["usb".to_owned(), "nfc".to_owned()];
        assert_eq!(
            display_name(None, Backup::DeviceBound, &usb, &device),
            "Security key (this device only, USB, NFC) @ Mac · Chrome"
        );
    }
    #[test]
    fn whoever_is_said_to_claim_verification_is_a_known_provider_and_the_claim_has_a_source() {
        assert!(!CLAIMING.is_empty());
        for (aaguid, source) in CLAIMING.iter() {
            assert!(PROVIDERS.contains_key(aaguid), "{aaguid}");
            assert!(source.starts_with("https://"), "{aaguid}");
        }
        assert_eq!(claiming_provider(b"ProtonPassProton"), Some("Proton Pass"));
        assert_eq!(claiming_provider(b"ProtonPassProtoN"), None);
        assert_eq!(claiming_provider(b"ProtonPass"), None);
    }
}
