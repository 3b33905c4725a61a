//! What is asked of authenticators, and what is believed of their answers. The verification itself is
//! the crate `holdfast-relying-party`; the rows are in `store.rs`.

mod enrolment;
pub(crate) mod store;

pub(crate) use enrolment::{Enrolment, enrol};

use crate::{
    access::refuse,
    app::App,
    ceremony::Begun,
    problem::{Refusal, Result},
};
use holdfast_protocol::{
    passkeys::{
        AssertionOptions, AssertionResponse, Discoverable, RegistrationOptions, RegistrationResponse,
    },
    problem::Code,
    tokens::challenge_of,
};
use holdfast_relying_party::{
    Algorithm, Expectations, Owner, Refusal as Refused, RegisteredCredential, StoredCredential,
    VerifiedAssertion, verify_assertion, verify_registration,
};
use webauthn_rs_proto::{
    AllowCredentials, AttestationConveyancePreference, AuthenticatorSelectionCriteria, PubKeyCredParams,
    PublicKeyCredentialCreationOptions, PublicKeyCredentialDescriptor, PublicKeyCredentialHints,
    PublicKeyCredentialRequestOptions, RelyingParty, RequestRegistrationExtensions, ResidentKeyRequirement,
    User, UserVerificationPolicy,
};

/// Whose passkey is made.
pub(crate) struct NewUser<'a> {
    /// Random, 1 to 64 bytes; says nothing about the person.
    pub handle: &'a [u8],
    pub name: &'a str,
    pub display_name: &'a str,
    /// The passkeys that the account has: no device makes a second one.
    pub known: Vec<store::Known>,
}

/// Options for a discoverable passkey with user verification.
pub(crate) fn registration_options(app: &App, begun: &Begun, user: NewUser<'_>) -> RegistrationOptions {
    let algorithms = Algorithm::ALL.into_iter();
    RegistrationOptions {
        ceremony: begun.id.clone(),
        token: begun.token.clone(),
        public_key: PublicKeyCredentialCreationOptions {
            rp: RelyingParty { name: app.config.rp_name.clone(), id: app.config.rp_id.clone() },
            user: User {
                id: user.handle.to_vec(),
                name: user.name.to_owned(),
                display_name: user.display_name.to_owned(),
            },
            challenge: begun.challenge.to_vec(),
            pub_key_cred_params: algorithms
                .map(|algorithm| PubKeyCredParams {
                    type_: "public-key".to_owned(),
                    alg: algorithm.cose_id(),
                })
                .collect(),
            timeout: Some(begun.timeout_ms),
            exclude_credentials: Some(user.known.into_iter().map(descriptor).collect()),
            authenticator_selection: Some(AuthenticatorSelectionCriteria {
                authenticator_attachment: None,
                resident_key: Some(ResidentKeyRequirement::Required),
                require_resident_key: true,
                user_verification: UserVerificationPolicy::Required,
            }),
            // Where the person sits first; a phone or a security key is offered as well.
            hints: Some(vec![
                PublicKeyCredentialHints::ClientDevice,
                PublicKeyCredentialHints::Hybrid,
                PublicKeyCredentialHints::SecurityKey,
            ]),
            attestation: Some(AttestationConveyancePreference::None),
            attestation_formats: None,
            // Firefox on Android saves a passkey only when `credProps` is asked for.
            extensions: Some(RequestRegistrationExtensions {
                cred_protect: None,
                uvm: None,
                cred_props: Some(true),
                min_pin_length: None,
                hmac_create_secret: None,
            }),
        },
    }
}

/// Options for signing in without typing a name.
pub(crate) fn assertion_options(app: &App, begun: &Begun) -> AssertionOptions {
    AssertionOptions {
        ceremony: begun.id.clone(),
        token: begun.token.clone(),
        public_key: PublicKeyCredentialRequestOptions {
            challenge: begun.challenge.to_vec(),
            timeout: Some(begun.timeout_ms),
            rp_id: app.config.rp_id.clone(),
            allow_credentials: Vec::new(),
            user_verification: UserVerificationPolicy::Required,
            hints: None,
            extensions: None,
        },
    }
}

/// Options for confirming an operation with one of the account's own passkeys.
pub(crate) fn confirmation_options(
    app: &App,
    token: &str,
    timeout_ms: u32,
    known: Vec<store::Known>,
) -> PublicKeyCredentialRequestOptions {
    let allowed =
        known.into_iter().map(descriptor).map(|PublicKeyCredentialDescriptor { type_, id, transports }| {
            AllowCredentials { type_, id, transports }
        });
    PublicKeyCredentialRequestOptions {
        challenge: challenge_of(token).to_vec(),
        timeout: Some(timeout_ms),
        rp_id: app.config.rp_id.clone(),
        allow_credentials: allowed.collect(),
        user_verification: UserVerificationPolicy::Required,
        hints: None,
        extensions: None,
    }
}

fn descriptor(known: store::Known) -> PublicKeyCredentialDescriptor {
    // A way that the standard's names do not have yet is left out; none at all means any.
    let way = |text: &str| serde_json::from_value(text.into()).ok();
    let ways: Vec<_> = known.transports.split(',').filter_map(way).collect();
    PublicKeyCredentialDescriptor {
        type_: "public-key".to_owned(),
        id: known.credential_id,
        transports: (!ways.is_empty()).then_some(ways),
    }
}

/// A new passkey, verified.
pub(crate) fn verify_new(
    app: &App,
    challenge: &[u8],
    response: &RegistrationResponse,
) -> Result<RegisteredCredential> {
    check_transports(&response.transports)?;
    if response.discoverable == Some(Discoverable::No) {
        return Err(Refusal::with_detail(
            Code::UnsupportedKey,
            "This passkey cannot sign in by itself, because the device did not keep it. Use another one.",
        ));
    }
    let (origins, top_origins) = origins(app);
    let raw = holdfast_relying_party::RegistrationResponse {
        client_data_json: &response.client_data_json.0,
        attestation_object: &response.attestation_object.0,
    };
    let credential = verify_registration(&expectations(app, challenge, &origins, &top_origins), &raw);
    let credential = credential.map_err(refused)?;
    if credential.id != response.id.0 {
        return Err(refuse(Code::CeremonyMismatch, "the id beside the response is another one"));
    }
    Ok(credential)
}

/// An assertion, verified against the passkey that it names and the account that owns it.
pub(crate) fn verify_use(
    app: &App,
    challenge: &[u8],
    response: &AssertionResponse,
    stored: &store::Stored,
    owner: Owner<'_>,
) -> Result<VerifiedAssertion> {
    let (origins, top_origins) = origins(app);
    let credential = StoredCredential {
        id: &stored.credential_id,
        public_key: &stored.public_key,
        sign_count: u32::try_from(stored.sign_count).unwrap_or(u32::MAX),
        backup_eligible: stored.backup_eligible,
        owner,
    };
    let raw = holdfast_relying_party::AssertionResponse {
        credential_id: &response.id.0,
        client_data_json: &response.client_data_json.0,
        authenticator_data: &response.authenticator_data.0,
        signature: &response.signature.0,
        user_handle: Some(response.user_handle.0.as_slice()).filter(|handle| !handle.is_empty()),
    };
    let expected = expectations(app, challenge, &origins, &top_origins);
    verify_assertion(&expected, &credential, &raw).map_err(refused)
}

fn origins(app: &App) -> (Vec<&str>, Vec<&str>) {
    let top_origins = app.config.embedding_origins.iter().map(String::as_str).collect();
    (app.config.ceremony_origins(), top_origins)
}

fn expectations<'a>(
    app: &'a App,
    challenge: &'a [u8],
    origins: &'a [&'a str],
    top_origins: &'a [&'a str],
) -> Expectations<'a> {
    Expectations { challenge, rp_id: &app.config.rp_id, origins, top_origins }
}

fn check_transports(transports: &[String]) -> Result<()> {
    let word = |text: &String| {
        (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    if transports.len() <= 8 && transports.iter().all(word) {
        Ok(())
    } else {
        Err(Code::InvalidRequest.into())
    }
}

/// The verifier's many causes as the wire's few; the log has the cause itself.
fn refused(why: Refused) -> Refusal {
    let code = match why {
        Refused::ForeignOrigin => Code::CeremonyForeignOrigin,
        Refused::CrossOrigin | Refused::ForeignTopOrigin => Code::CeremonyCrossOrigin,
        Refused::UserPresenceMissing | Refused::UserVerificationMissing => Code::UserVerificationMissing,
        Refused::BackupEligibilityChanged => Code::BackupEligibilityChanged,
        Refused::UnsupportedAlgorithm
        | Refused::MalformedPublicKey
        | Refused::InvalidPublicKey
        | Refused::UnsupportedAttestationFormat
        | Refused::CredentialIdTooLong => Code::UnsupportedKey,
        Refused::WrongType
        | Refused::ChallengeMismatch
        | Refused::RpIdMismatch
        | Refused::CredentialMismatch
        | Refused::UserHandleMissing
        | Refused::UserHandleMismatch => Code::CeremonyMismatch,
        Refused::MalformedClientData
        | Refused::MalformedAttestationObject
        | Refused::MalformedAuthenticatorData
        | Refused::MalformedExtensions
        | Refused::TrailingBytes
        | Refused::CredentialDataMissing
        | Refused::CredentialDataUnexpected
        | Refused::BackupStateWithoutEligibility
        | Refused::MalformedAttestationStatement
        | Refused::AttestationSignatureInvalid
        | Refused::SignatureInvalid => Code::CeremonyInvalid,
        // Both are the server's own fault.
        Refused::ChallengeTooShort | Refused::StoredKeyUnreadable => Code::Internal,
    };
    refuse(code, why.code())
}
