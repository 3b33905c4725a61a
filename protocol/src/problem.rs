use serde::{Deserialize, Serialize};

/// A refusal as RFC 9457 writes it, with media type `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// `urn:holdfast:problem:` and the code.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// A few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What a program decides by.
    pub code: Code,
    /// A sentence that a person can act on.
    pub detail: String,
    /// Seconds until another try makes sense, as in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_s: Option<u32>,
    /// With [`Code::StepUpRequired`], why, as [`StepUpReason::as_str`] says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// With [`Code::StepUpRequired`], where to `POST` the parameters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub preflight: Option<String>,
    /// When it ends by itself: milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until_ms: Option<u64>,
}

/// What an operation wants before it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepUpReason {
    /// There is nothing to confirm with yet: enrol a passkey.
    Setup,
    /// A confirmation is missing, expired or spent.
    Token,
}

impl StepUpReason {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            StepUpReason::Setup => "setup",
            StepUpReason::Token => "token",
        }
    }
}

impl Problem {
    /// The problem that a code stands for, in the code's own words.
    pub fn of(code: Code) -> Self {
        Self::in_words(code, code.words())
    }

    /// The same for a caller who knows the code, and so need not carry the words of all others.
    pub fn in_words(code: Code, Words { status, title, detail }: Words) -> Self {
        Self {
            type_uri: format!("urn:holdfast:problem:{}", code.as_str()),
            title: title.to_owned(),
            status,
            code,
            detail: detail.to_owned(),
            retry_after_s: None,
            reason: None,
            preflight: None,
            until_ms: None,
        }
    }
}

/// What a code says by default.
pub struct Words {
    /// The HTTP status.
    pub status: u16,
    /// A few words.
    pub title: &'static str,
    /// A sentence that a person can act on.
    pub detail: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal, $title:literal, $detail:literal;)*) => {
        /// Every code that the server can answer with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl Code {
            /// All of them, for documents and tests.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// As it is written.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// Status and sentences.
            pub const fn words(self) -> Words {
                match self {
                    $(Code::$variant => Words { status: $status, title: $title, detail: $detail },)*
                }
            }

            /// A few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    // The request itself
    /// Body, query or header does not have the documented shape.
    InvalidRequest = "invalid_request", 400, "The request is not well-formed",
        "Something in the request does not have the documented shape. Nothing was changed.";
    /// The body is larger than any request of this API.
    TooLarge = "too_large", 413, "The request is too large",
        "The request is larger than anything this address takes. Nothing was changed.";
    /// The body took too long to arrive.
    TooSlow = "too_slow", 408, "The request came too slowly",
        "The request did not arrive whole within 30 seconds. Nothing was changed; try again.";
    /// The body is not `application/json` (or `text/plain` for an answer).
    UnsupportedMediaType = "unsupported_media_type", 415, "Wrong content type",
        "This address takes another content type. Nothing was changed.";
    /// No such address or thing, or not one of the caller's.
    NotFound = "not_found", 404, "Not found", "There is nothing at this address.";
    /// The address does not take this method.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed", "This address does not take that method.";
    /// `Origin` or `Sec-Fetch-Site` says that another site asked.
    ForeignOrigin = "foreign_origin", 403, "Asked by another site",
        "This request did not come from this console's own page. Nothing was changed.";
    /// `X-CSRF-Token` is missing or not this session's.
    CsrfMismatch = "csrf_mismatch", 403, "The page's token does not match",
        "This page is out of step with your session. Reload it and try again.";
    /// Too many tries.
    RateLimited = "rate_limited", 429, "Too many tries", "Too many tries from here. Wait a little, then try again.";
    /// The server failed; the log has the cause.
    Internal = "internal", 500, "The server failed", "The server could not finish this. Nothing was lost; try again.";
    /// The server is stopping or its database is away.
    Unavailable = "unavailable", 503, "The server is away for a moment", "The server is restarting or busy. Try again in a moment.";

    // Setting up
    /// An account exists already.
    SetupDone = "setup_done", 409, "Already set up", "This console has its first account. Sign in with a passkey.";
    /// `X-Setup-Token` is missing or wrong.
    SetupTokenInvalid = "setup_token_invalid", 403, "The setup link is not valid",
        "This setup link was used, or is not the one the server printed. Take the newest link from the server's output.";

    // Sessions and the PoP key
    /// No session: sign in.
    SignedOut = "signed_out", 401, "Signed out", "You are signed out. Sign in with your passkey.";
    /// A session's cookie came without a DPoP proof, or to register a device without its answer.
    PopProofMissing = "pop_proof_missing", 401, "The browser's key is missing",
        "This browser no longer has the key of its session. Sign in with your passkey to make a new one.";
    /// The proof is not one that RFC 9449 allows: form, method, address, signature. Or a device's answer is none.
    PopProofInvalid = "pop_proof_invalid", 401, "The proof is not valid",
        "The browser's proof does not belong to this request. Reload the page; if it stays, sign in again.";
    /// The proof is made with a key that is not this session's, nor any earlier one of this account.
    PopForeignKey = "pop_foreign_key", 401, "Another browser's key",
        "This session belongs to another browser. It was recorded. Sign in with your passkey here.";
    /// The proof is made with an earlier key of this account: another tab has signed in since.
    PopKeyReplaced = "pop_key_replaced", 401, "An earlier key",
        "Another tab has signed in since. Reload this one.";
    /// A proof was seen before.
    PopProofReplayed = "pop_proof_replayed", 401, "A proof was used twice",
        "A proof that was used before came again. It was recorded. Reload the page.";
    /// RFC 9449 section 8: take the nonce of the `DPoP-Nonce` header and try once more.
    UseDpopNonce = "use_dpop_nonce", 401, "A fresh nonce is needed", "The browser's proof needs a fresh nonce; it tries again by itself.";
    /// A browser signs the challenge of the header `Secure-Session-Challenge` with its device's key, and asks again.
    DeviceChallenge = "device_challenge", 403, "The device must answer first", "The browser answers for its device, and tries again by itself.";

    // Ceremonies
    /// Unknown, spent, expired, or begun in another browser.
    CeremonyGone = "ceremony_gone", 409, "This attempt has ended",
        "This attempt was finished, has expired, or began in another browser. Begin again.";
    /// The token of the ceremony is not the one that was issued for it.
    TokenInvalid = "token_invalid", 400, "The token is not valid", "The attempt's token was changed on its way. Begin again.";
    /// The credential is not known here (a proven miss).
    UnknownCredential = "unknown_credential", 401, "This passkey is not known here",
        "That passkey does not belong to any account here. Choose another one.";
    /// The passkey was disabled.
    PasskeyDisabled = "passkey_disabled", 401, "This passkey is disabled", "That passkey was removed from its account. Use another one.";
    /// The passkey's counter went backwards, and the operator has chosen to refuse that.
    CounterRollback = "counter_rollback", 401, "This passkey may have been copied",
        "Its counter went backwards, as it would if somebody had copied it, and this console refuses that. It was recorded. Use another passkey.";
    /// The passkey exists already.
    AlreadyRegistered = "already_registered", 409, "Already registered", "This passkey is registered already. Use it to sign in.";
    /// The authenticator did not verify the person.
    UserVerificationMissing = "user_verification_missing", 403, "You were not verified",
        "Your device did not check that it is you. Use a passkey with a PIN, fingerprint or face.";
    /// The ceremony was performed on another origin.
    CeremonyForeignOrigin = "ceremony_foreign_origin", 403, "The passkey was used on another site",
        "Your passkey answered for another address than this console's. Check the address bar.";
    /// The ceremony was performed in a frame of another site.
    CeremonyCrossOrigin = "ceremony_cross_origin", 403, "The passkey was used inside another site",
        "Your passkey answered inside another site's frame, which is not allowed here. Open the console in its own tab.";
    /// The relying-party id, challenge, user handle or another part of the response is not what was asked for.
    CeremonyMismatch = "ceremony_mismatch", 400, "The passkey's answer does not fit",
        "The passkey answered something else than it was asked. Begin again.";
    /// The signature or the response's encoding is not valid.
    CeremonyInvalid = "ceremony_invalid", 400, "The passkey's answer is not valid", "The passkey's answer could not be verified. Begin again.";
    /// The backup-eligibility flag has changed since registration.
    BackupEligibilityChanged = "backup_eligibility_changed", 403, "The passkey has changed its nature",
        "This passkey says something else about being synced than when it was made. Use another one.";
    /// Key type that is not taken, or a malformed key.
    UnsupportedKey = "unsupported_key", 400, "This kind of passkey is not supported", "This authenticator makes a kind of key that is not supported here. Use another one.";

    // Step-up
    /// The operation must be confirmed with a passkey; `reason` says why, `preflight` where.
    StepUpRequired = "step_up_required", 403, "Confirm this first", "This needs a fresh confirmation with your passkey. Nothing was done.";
    /// The confirmation is for another operation, account, session or parameter, or by another passkey.
    StepUpMismatch = "step_up_mismatch", 403, "The confirmation is for something else",
        "What was confirmed is not what was asked for. Nothing was done; look at it again, then confirm again.";
    /// What the person confirmed is called otherwise by now.
    TargetChanged = "target_changed", 409, "It has changed meanwhile", "What you confirmed has another name by now. Nothing was done; reload and look again.";
    /// The idempotency key has had its answer: for something else, or in another session.
    IdempotencyKeyReused = "idempotency_key_reused", 409, "The request's key was used before",
        "What was asked for under this key before may have been done. Look first; then ask for it anew, under another key.";
    /// A recovery by email is under way; `until_ms` says when its waiting time ends.
    RecoveryPending = "recovery_pending", 403, "A recovery is under way", "A recovery by email is under way, and nothing that gives power is done meanwhile. Cancel it if it is not yours.";
    /// The account is in a cooldown; `until_ms` says until when.
    Cooldown = "cooldown", 403, "The account is in a cooldown", "After what happened to this account, nothing that gives power is done for a while.";
    /// The surroundings are new; `until_ms` says until when that matters.
    RiskHold = "risk_hold", 403, "These surroundings are new", "This account was never used from here before, and nothing that gives power is done for a while.";
    /// Without it nobody could sign in any more.
    LastPasskey = "last_passkey", 409, "This is your last passkey",
        "Without this passkey nobody could sign in to this account any more. Add another one first.";
    /// An account has so many passkeys that authenticators could not be told of more.
    TooManyPasskeys = "too_many_passkeys", 409, "You have 64 passkeys", "An account has at most 64 passkeys. Remove one that you no longer use first.";

    // Recovery codes
    /// A list is in force; replacing it needs a confirmation.
    RecoveryCodesExist = "recovery_codes_exist", 409, "You have recovery codes",
        "This account has recovery codes in force. They stay valid.";

    // Wallet
    /// The wallet that is to pay does not hold so much.
    InsufficientFunds = "insufficient_funds", 409, "Not enough money", "The wallet does not hold as much as that. Nothing was paid.";

    // Terminal
    /// The account is no administrator's.
    AdminOnly = "admin_only", 403, "For administrators", "Only an administrator of this console can do this.";

    // Credentials
    /// Encrypted under a key that this server does not have, or not as it was stored.
    CredentialsUnreadable = "credentials_unreadable", 409, "The credential cannot be read",
        "It was stored under a key that this server no longer has, or was changed since. Store it anew.";

    // Agents
    /// Unknown, expired, approved or claimed already, or withdrawn.
    PairingGone = "pairing_gone", 409, "This pairing has ended",
        "This pairing was finished or has expired. Let the agent ask again, and take its new code.";
    /// The agent's token is missing or unknown, has expired or was revoked.
    AgentTokenInvalid = "agent_token_invalid", 401, "The agent's token is not valid",
        "This agent is not paired, its time is over, or its owner has revoked it.";
    /// The charge is more than what is left.
    BudgetExceeded = "budget_exceeded", 403, "More than what is left",
        "This costs more than what is left of the agent's budget. Nothing was charged.";

    // Connections
    /// Unknown, spent, expired, or minted for another session or stream.
    TicketInvalid = "ticket_invalid", 401, "The ticket is not valid",
        "The ticket of this connection was used or has expired. The page gets a new one by itself.";
    /// More connections than one session may hold.
    TooManyConnections = "too_many_connections", 429, "Too many connections", "This session has too many open connections. Close a tab.";
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_as_it_is_named_and_has_a_sentence() {
        for code in Code::ALL {
            let problem = Problem::of(*code);
            let json = serde_json::to_value(&problem).unwrap();
            assert_eq!(json["code"], code.as_str());
            assert!((400..600).contains(&problem.status), "{code}");
            assert!(problem.detail.ends_with('.') && !problem.detail.contains('!'), "{code}");
        }
    }
}
