use holdfast_protocol::tokens::TokenError;

/// What the passkey prompt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `navigator.credentials.create`
    Registration,
    /// `navigator.credentials.get`
    SignIn,
}

/// How the browser offers the passkeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mediation {
    /// A prompt in front of the page.
    Modal,
    /// In the autofill of a field, whenever the person opens it.
    Autofill,
}

/// How a passkey prompt can fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CeremonyFailure {
    /// The person closed it, or had no passkey to choose.
    Cancelled(Kind),
    /// Its time was over.
    TimedOut,
    /// The browser never settled its promise: ended by the watchdog.
    NeverAnswered,
    /// Nothing here can make or hold such a passkey.
    NoAuthenticator,
    /// The authenticator holds a passkey of this account already.
    AlreadyRegistered,
    /// The address of the page does not fit the relying party.
    WrongAddress,
    /// A newer prompt took its place: nothing to say.
    Superseded,
    /// Not https, not localhost.
    InsecureContext,
    /// The browser has no WebAuthn.
    NotSupported,
    /// The options are not what this browser asked for: no prompt was shown.
    NotWhatWasAsked(TokenError),
    /// The server's options are none: no prompt was shown.
    UnreadableOptions,
    /// The authenticator answered with something that is not a passkey's answer.
    UnreadableAnswer,
    /// Anything else, by the name of the browser's error.
    Other(String),
}

/// What the browser said, and when.
#[derive(Debug, Clone, Copy)]
pub struct Rejection<'a> {
    /// `DOMException.name`
    pub name: &'a str,
    /// What it was for.
    pub kind: Kind,
    /// Since the prompt began.
    pub elapsed_ms: f64,
    /// Of the options.
    pub timeout_ms: u32,
}

impl Rejection<'_> {
    /// What that means. `NotAllowedError` covers cancelled and timed out alike: time tells them apart.
    pub fn classify(&self) -> CeremonyFailure {
        match self.name {
            "NotAllowedError" if self.elapsed_ms >= f64::from(self.timeout_ms) - 1_000.0 => {
                CeremonyFailure::TimedOut
            }
            "NotAllowedError" => CeremonyFailure::Cancelled(self.kind),
            "TimeoutError" => CeremonyFailure::TimedOut,
            "NotSupportedError" | "ConstraintError" => CeremonyFailure::NoAuthenticator,
            "InvalidStateError" if self.kind == Kind::Registration => CeremonyFailure::AlreadyRegistered,
            "SecurityError" => CeremonyFailure::WrongAddress,
            "AbortError" => CeremonyFailure::Superseded,
            other => CeremonyFailure::Other(other.to_owned()),
        }
    }
}

/// What this browser can do, as it says itself: `PublicKeyCredential.getClientCapabilities()`, or
/// what older browsers answer instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Passkeys in the autofill of a field.
    pub autofill: bool,
    /// A fingerprint reader, face camera or device PIN that can hold a passkey.
    pub built_in: bool,
    /// A phone nearby can be asked.
    pub phone: bool,
}

/// What the device will ask for, to be said before it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WillAsk {
    /// The device itself, by fingerprint, face or PIN.
    ThisDevice,
    /// A phone, or a security key.
    PhoneOrKey,
    /// A security key.
    Key,
}

impl Capabilities {
    /// The likeliest authenticator.
    pub fn will_ask(self) -> WillAsk {
        match (self.built_in, self.phone) {
            (true, _) => WillAsk::ThisDevice,
            (false, true) => WillAsk::PhoneOrKey,
            (false, false) => WillAsk::Key,
        }
    }
}

/// Options are good for five minutes; after this they are fetched anew.
pub const FRESH_MS: f64 = 240_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(name: &str, kind: Kind, elapsed_ms: f64) -> CeremonyFailure {
        Rejection { name, kind, elapsed_ms, timeout_ms: 300_000 }.classify()
    }

    #[test]
    fn a_prompt_that_was_closed_is_told_from_one_whose_time_was_over() {
        assert_eq!(
            rejected("NotAllowedError", Kind::SignIn, 4_000.0),
            CeremonyFailure::Cancelled(Kind::SignIn)
        );
        assert_eq!(rejected("NotAllowedError", Kind::SignIn, 299_500.0), CeremonyFailure::TimedOut);
    }

    #[test]
    fn an_invalid_state_means_registered_only_when_registering() {
        assert_eq!(
            rejected("InvalidStateError", Kind::Registration, 10.0),
            CeremonyFailure::AlreadyRegistered
        );
        assert_eq!(
            rejected("InvalidStateError", Kind::SignIn, 10.0),
            CeremonyFailure::Other("InvalidStateError".to_owned())
        );
    }

    #[test]
    fn an_aborted_prompt_gave_way_to_a_newer_one() {
        assert_eq!(rejected("AbortError", Kind::SignIn, 10.0), CeremonyFailure::Superseded);
    }
}
