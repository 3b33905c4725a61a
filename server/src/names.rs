//! What to call a passkey, from what its authenticator and browser say of themselves.

use holdfast_protocol::{history::Device, passkeys::Backup};
use std::{collections::HashMap, sync::LazyLock};

/// Providers by AAGUID; names only.
static PROVIDERS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let names = serde_json::from_str(include_str!("../data/aaguid-names.json"));
    names.unwrap_or_else(|error| {
        tracing::error!(%error, "the list of providers is not readable");
        HashMap::new()
    })
});

/// The provider of an authenticator model, where it is known.
pub(crate) fn provider(aaguid: &[u8]) -> Option<&'static str> {
    let hex: String = aaguid.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?, hex.get(16..20)?, hex.get(20..)?];
    PROVIDERS.get(&groups.join("-")).map(String::as_str)
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
}
