//! An authenticator and a client that others wrote (1Password's `passkey`), from registration to sign-in.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use holdfast_relying_party::{
    Algorithm, AssertionResponse, Attestation, CounterSignal, Expectations, Owner, Refusal,
    RegistrationResponse, StoredCredential, verify_assertion, verify_registration,
};
use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::{iana, rust_crypto::RustCryptoBackend};
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::*;
use url::Url;

use crate::soft_authenticator::{CHALLENGE, EXPECTED, ORIGIN, RP_ID, USER_HANDLE};

struct Somebody;

#[async_trait::async_trait]
impl UserValidationMethod for Somebody {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence, verification })
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }
}

#[test]
fn another_makers_passkey_registers_and_signs_in() {
    let registered = with_user_verification(UserVerificationRequirement::Required).unwrap();
    assert_eq!(registered, CounterSignal::Unsupported);
}

#[test]
fn another_makers_passkey_without_user_verification_is_refused() {
    let refused = with_user_verification(UserVerificationRequirement::Discouraged);
    assert_eq!(refused, Err(Refusal::UserVerificationMissing));
}

fn with_user_verification(user_verification: UserVerificationRequirement) -> Result<CounterSignal, Refusal> {
    let origin = Url::parse(ORIGIN).unwrap();
    let store: Option<Passkey> = None;
    let authenticator = Authenticator::new(Aaguid::new_empty(), store, Somebody, RustCryptoBackend);
    let mut client = Client::new(authenticator);

    let creation = CredentialCreationOptions { public_key: creation_options() };
    let created = ready(client.register(&origin, creation, DefaultClientData)).unwrap();
    let response = RegistrationResponse {
        client_data_json: &created.response.client_data_json,
        attestation_object: &created.response.attestation_object,
    };
    let registered = verify_registration(&EXPECTED, &response).unwrap();
    assert_eq!(registered.id, created.raw_id.to_vec());
    assert_eq!(registered.algorithm, Algorithm::Es256);
    assert_eq!(registered.attestation, Attestation::None);
    assert!(registered.backup_eligible && registered.backup_state);

    let challenge = [9; 32];
    let request = CredentialRequestOptions { public_key: request_options(&challenge, user_verification) };
    let asserted = ready(client.authenticate(&origin, request, DefaultClientData)).unwrap();
    let stored = StoredCredential {
        id: &registered.id,
        public_key: &registered.public_key,
        sign_count: registered.sign_count,
        backup_eligible: registered.backup_eligible,
        owner: Owner::NamedByResponse(USER_HANDLE),
    };
    let response = AssertionResponse {
        credential_id: &asserted.raw_id,
        client_data_json: &asserted.response.client_data_json,
        authenticator_data: &asserted.response.authenticator_data,
        signature: &asserted.response.signature,
        user_handle: asserted.response.user_handle.as_ref().map(|handle| handle.as_slice()),
    };
    let verified = verify_assertion(&Expectations { challenge: &challenge, ..EXPECTED }, &stored, &response)?;
    assert!(verified.backup_state);
    Ok(verified.counter)
}

fn creation_options() -> PublicKeyCredentialCreationOptions {
    PublicKeyCredentialCreationOptions {
        rp: PublicKeyCredentialRpEntity { id: Some(RP_ID.into()), name: "Holdfast".into() },
        user: PublicKeyCredentialUserEntity {
            id: USER_HANDLE.to_vec().into(),
            display_name: "Somebody".into(),
            name: "somebody@example.org".into(),
        },
        challenge: CHALLENGE.to_vec().into(),
        pub_key_cred_params: vec![PublicKeyCredentialParameters {
            ty: PublicKeyCredentialType::PublicKey,
            alg: iana::Algorithm::ES256,
        }],
        timeout: None,
        exclude_credentials: None,
        authenticator_selection: Some(AuthenticatorSelectionCriteria {
            authenticator_attachment: None,
            resident_key: Some(ResidentKeyRequirement::Required),
            require_resident_key: true,
            user_verification: UserVerificationRequirement::Required,
        }),
        hints: None,
        attestation: AttestationConveyancePreference::None,
        attestation_formats: None,
        extensions: None,
    }
}

fn request_options(
    challenge: &[u8],
    user_verification: UserVerificationRequirement,
) -> PublicKeyCredentialRequestOptions {
    PublicKeyCredentialRequestOptions {
        challenge: challenge.to_vec().into(),
        timeout: None,
        rp_id: Some(RP_ID.into()),
        allow_credentials: None,
        user_verification,
        hints: None,
        attestation: AttestationConveyancePreference::None,
        attestation_formats: None,
        extensions: None,
    }
}

/// Nothing here waits for anything, so each future is ready when it is first asked.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a store in memory does not wait"),
    }
}
