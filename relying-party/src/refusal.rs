//! Every way to say no, one variant for each cause.

/// Why a response was refused. [`Refusal::code`] is stable and meant for the wire and the audit trail;
/// `Display` is a sentence for an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The server's own challenge is shorter than 16 bytes (WebAuthn §13.4.3): nothing is compared with it.
    #[error("The server's challenge is shorter than 16 bytes.")]
    ChallengeTooShort,

    // Client data: what the browser says it did.
    /// Not UTF-8, not a JSON object, a member missing, of the wrong type or given twice.
    #[error("The client data is not the JSON object that a browser makes.")]
    MalformedClientData,
    /// A registration was answered with an assertion, or the reverse.
    #[error("The client data belong to another kind of ceremony.")]
    WrongType,
    /// Another ceremony's challenge, or this one's in another spelling.
    #[error("The response answers another challenge.")]
    ChallengeMismatch,
    /// The ceremony took place on an origin that is not on the list.
    #[error("The ceremony took place on a foreign origin.")]
    ForeignOrigin,
    /// The ceremony took place in a frame of a foreign page that the browser does not name, or where none
    /// is allowed.
    #[error("The ceremony took place in a frame of a foreign page.")]
    CrossOrigin,
    /// The page that held the frame is not on the list.
    #[error("The page that held the ceremony's frame is of a foreign origin.")]
    ForeignTopOrigin,

    // Authenticator data: what the authenticator signed.
    /// The attestation object is not the CBOR map of `fmt`, `attStmt` and `authData`.
    #[error("The attestation object is not readable.")]
    MalformedAttestationObject,
    /// The authenticator data are shorter than their own flags and lengths say.
    #[error("The authenticator data are not readable.")]
    MalformedAuthenticatorData,
    /// The extension outputs are not a CBOR map with distinct text keys.
    #[error("The authenticator's extension outputs are not readable.")]
    MalformedExtensions,
    /// Something follows where the attestation object or the authenticator data should end.
    #[error("Bytes follow the end of the authenticator's message.")]
    TrailingBytes,
    /// A registration that carries no credential.
    #[error("The registration carries no credential.")]
    CredentialDataMissing,
    /// An assertion that carries a credential, which only registrations do.
    #[error("The assertion carries credential data, which only a registration may.")]
    CredentialDataUnexpected,
    /// The passkey is scoped to another relying party.
    #[error("The passkey belongs to another relying party.")]
    RpIdMismatch,
    /// The authenticator did not see anybody.
    #[error("The authenticator did not test that somebody was present.")]
    UserPresenceMissing,
    /// The authenticator did not check who it was.
    #[error("The authenticator did not verify the user.")]
    UserVerificationMissing,
    /// Backed up, and not eligible to be: the flags contradict each other.
    #[error("The passkey claims to be backed up and not to be eligible for it.")]
    BackupStateWithoutEligibility,

    // The new credential.
    /// An algorithm, or a curve of it, that the server does not offer.
    #[error("The passkey's algorithm is not one that the server offers.")]
    UnsupportedAlgorithm,
    /// The public key is not the CBOR map that its algorithm prescribes.
    #[error("The passkey's public key is not readable.")]
    MalformedPublicKey,
    /// The public key is readable and worthless: off the curve, of small order, an RSA modulus or exponent
    /// out of bounds.
    #[error("The passkey's public key is not a valid key of its algorithm.")]
    InvalidPublicKey,
    /// An attestation format that is not registered with IANA.
    #[error("The attestation is of an unknown format.")]
    UnsupportedAttestationFormat,
    /// The statement does not have the form that its format prescribes.
    #[error("The attestation statement is not readable.")]
    MalformedAttestationStatement,
    /// A self attestation that the credential's own key did not sign.
    #[error("The attestation is not signed by the passkey.")]
    AttestationSignatureInvalid,
    /// A credential id of more than 1023 bytes.
    #[error("The passkey's id is longer than 1023 bytes.")]
    CredentialIdTooLong,

    // The known credential.
    /// The response names another credential than the stored one.
    #[error("The response is of another passkey than the stored one.")]
    CredentialMismatch,
    /// Nobody was named before the ceremony, and the response names nobody either.
    #[error("The response does not name the account that it signs in to.")]
    UserHandleMissing,
    /// The response names another account than the credential's.
    #[error("The response names another account than the passkey's.")]
    UserHandleMismatch,
    /// Eligibility for backup is fixed when a passkey is made; a change means that something else answers.
    #[error("The passkey's eligibility for backup has changed since its registration.")]
    BackupEligibilityChanged,
    /// The public key in the server's own store is not one that [`crate::verify_registration`] returned.
    #[error("The stored public key of the passkey is not readable.")]
    StoredKeyUnreadable,
    /// The signature does not verify.
    #[error("The passkey did not sign this response.")]
    SignatureInvalid,
}

impl Refusal {
    /// The stable name of the cause, such as `webauthn_foreign_origin`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ChallengeTooShort => "webauthn_challenge_too_short",
            Self::MalformedClientData => "webauthn_malformed_client_data",
            Self::WrongType => "webauthn_wrong_type",
            Self::ChallengeMismatch => "webauthn_challenge_mismatch",
            Self::ForeignOrigin => "webauthn_foreign_origin",
            Self::CrossOrigin => "webauthn_cross_origin",
            Self::ForeignTopOrigin => "webauthn_foreign_top_origin",
            Self::MalformedAttestationObject => "webauthn_malformed_attestation_object",
            Self::MalformedAuthenticatorData => "webauthn_malformed_authenticator_data",
            Self::MalformedExtensions => "webauthn_malformed_extensions",
            Self::TrailingBytes => "webauthn_trailing_bytes",
            Self::CredentialDataMissing => "webauthn_credential_data_missing",
            Self::CredentialDataUnexpected => "webauthn_credential_data_unexpected",
            Self::RpIdMismatch => "webauthn_rp_id_mismatch",
            Self::UserPresenceMissing => "webauthn_user_presence_missing",
            Self::UserVerificationMissing => "webauthn_user_verification_missing",
            Self::BackupStateWithoutEligibility => "webauthn_backup_state_without_eligibility",
            Self::UnsupportedAlgorithm => "webauthn_unsupported_algorithm",
            Self::MalformedPublicKey => "webauthn_malformed_public_key",
            Self::InvalidPublicKey => "webauthn_invalid_public_key",
            Self::UnsupportedAttestationFormat => "webauthn_unsupported_attestation_format",
            Self::MalformedAttestationStatement => "webauthn_malformed_attestation_statement",
            Self::AttestationSignatureInvalid => "webauthn_attestation_signature_invalid",
            Self::CredentialIdTooLong => "webauthn_credential_id_too_long",
            Self::CredentialMismatch => "webauthn_credential_mismatch",
            Self::UserHandleMissing => "webauthn_user_handle_missing",
            Self::UserHandleMismatch => "webauthn_user_handle_mismatch",
            Self::BackupEligibilityChanged => "webauthn_backup_eligibility_changed",
            Self::StoredKeyUnreadable => "webauthn_stored_key_unreadable",
            Self::SignatureInvalid => "webauthn_signature_invalid",
        }
    }

    /// Every refusal, for whoever must name or translate them all.
    pub const ALL: [Self; 30] = [
        Self::ChallengeTooShort,
        Self::MalformedClientData,
        Self::WrongType,
        Self::ChallengeMismatch,
        Self::ForeignOrigin,
        Self::CrossOrigin,
        Self::ForeignTopOrigin,
        Self::MalformedAttestationObject,
        Self::MalformedAuthenticatorData,
        Self::MalformedExtensions,
        Self::TrailingBytes,
        Self::CredentialDataMissing,
        Self::CredentialDataUnexpected,
        Self::RpIdMismatch,
        Self::UserPresenceMissing,
        Self::UserVerificationMissing,
        Self::BackupStateWithoutEligibility,
        Self::UnsupportedAlgorithm,
        Self::MalformedPublicKey,
        Self::InvalidPublicKey,
        Self::UnsupportedAttestationFormat,
        Self::MalformedAttestationStatement,
        Self::AttestationSignatureInvalid,
        Self::CredentialIdTooLong,
        Self::CredentialMismatch,
        Self::UserHandleMissing,
        Self::UserHandleMismatch,
        Self::BackupEligibilityChanged,
        Self::StoredKeyUnreadable,
        Self::SignatureInvalid,
    ];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Refusal;

    #[test]
    fn every_refusal_has_a_code_of_its_own_a_sentence_and_a_line_in_the_readme() {
        let readme = include_str!("../README.md");
        let mut codes = BTreeSet::new();
        for refusal in Refusal::ALL {
            let code = refusal.code();
            assert!(codes.insert(code), "{code} twice");
            assert!(code.starts_with("webauthn_"), "{code}");
            assert!(readme.contains(&format!("| `{code}` |")), "{code}");
            assert!(refusal.to_string().ends_with('.'), "{code}");
        }
        assert_eq!(readme.matches("\n| `webauthn_").count(), codes.len());
    }
}
