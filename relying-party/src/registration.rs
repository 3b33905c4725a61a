//! A new passkey: WebAuthn Level 3 §7.1, step by step.

use aws_lc_rs::digest::{SHA256, digest};

use crate::attestation::{Attestation, AttestationObject, Format};
use crate::authenticator_data::AuthenticatorData;
use crate::client_data::{Ceremony, ClientData};
use crate::cose::{Algorithm, CredentialKey};
use crate::{Expectations, Refusal};

/// An `AuthenticatorAttestationResponse`, as raw bytes.
#[derive(Debug, Clone, Copy)]
pub struct RegistrationResponse<'a> {
    /// `clientDataJSON`, exactly as received.
    pub client_data_json: &'a [u8],
    /// `attestationObject`.
    pub attestation_object: &'a [u8],
}

/// A credential that has passed every check of §7.1 that does not need a store. It exists only so: the user
/// was present and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegisteredCredential {
    /// The credential id, 1 to 1023 bytes. The caller refuses one that any account already has (step 26).
    pub id: Vec<u8>,
    /// The public key as the authenticator wrote it (COSE_Key), validated; to be stored and handed back in
    /// [`crate::StoredCredential`].
    pub public_key: Vec<u8>,
    /// The algorithm that the key is for.
    pub algorithm: Algorithm,
    /// The authenticator's model, all zeros where it does not say. A claim: see [`Attestation`].
    pub aaguid: [u8; 16],
    /// The signature counter; 0 where the authenticator keeps none.
    pub sign_count: u32,
    /// Whether the passkey may be synced. It never changes.
    pub backup_eligible: bool,
    /// Whether the passkey is synced now.
    pub backup_state: bool,
    /// What came with it about its maker.
    pub attestation: Attestation,
}

/// Verifies a registration: WebAuthn Level 3 §7.1.
///
/// # Errors
/// The first [`Refusal`] in the order of the standard's steps.
pub fn verify_registration(
    expected: &Expectations<'_>,
    response: &RegistrationResponse<'_>,
) -> Result<RegisteredCredential, Refusal> {
    // Steps 1 to 4 (make options, call the browser, take the response and the client extension results) are
    // done before.

    // Step 5, 6: UTF-8 decode, JSON parse.
    let client_data = ClientData::parse(response.client_data_json)?;

    // Step 7: C.type is webauthn.create.
    client_data.verify_type(Ceremony::Create)?;

    // Step 8: C.challenge is the base64url encoding of the challenge.
    client_data.verify_challenge(expected)?;

    // Step 9: C.origin is expected.
    client_data.verify_origin(expected)?;

    // Step 10: if C.crossOrigin is true, a frame within a foreign page is expected.
    client_data.verify_cross_origin(expected)?;

    // Step 11: if C.topOrigin is present, that page is expected.
    client_data.verify_top_origin(expected)?;

    // Step 12: hash of the client data.
    let client_data_hash = digest(&SHA256, response.client_data_json);

    // Step 13: CBOR decode the attestation object, and split the authenticator data.
    let object = AttestationObject::parse(response.attestation_object)?;
    let unverified = AuthenticatorData::parse(object.authenticator_data)?;
    let attested = unverified.attested.ok_or(Refusal::CredentialDataMissing)?;

    // Step 14: rpIdHash is the hash of the relying party id.
    if unverified.rp_id_hash != digest(&SHA256, expected.rp_id.as_bytes()).as_ref() {
        return Err(Refusal::RpIdMismatch);
    }

    // Step 15: UP is set. It is asked for even where mediation is conditional: Holdfast enrols nothing silently.
    let flags = unverified.flags;
    if !flags.user_present() {
        return Err(Refusal::UserPresenceMissing);
    }

    // Step 16: UV is set; it is always required.
    if !flags.user_verified() {
        return Err(Refusal::UserVerificationMissing);
    }

    // Step 17: without BE no BS.
    if flags.backup_state() && !flags.backup_eligible() {
        return Err(Refusal::BackupStateWithoutEligibility);
    }

    // Step 18, 19: BE and BS as a policy: there is none, both are returned.

    // Step 20: alg is one of pubKeyCredParams, which are `Algorithm::ALL`; and the key is a valid one.
    let key = CredentialKey::parse(attested.unverified_public_key)?;

    // Step 21: the attestation statement format is known.
    let format = Format::from_identifier(object.format)?;

    // Step 22: the statement is correct, for the formats none and packed without certificates.
    let signed = [object.authenticator_data, client_data_hash.as_ref()].concat();
    let attestation = format.verify(&object, &key, &signed)?;

    // Step 23, 24: trust anchors and trustworthiness: no attestation and self attestation are acceptable, and
    // every other is taken for none, which was asked for.

    // Step 25: the credential id has at most 1023 bytes.
    const LONGEST_ID: usize = 1023;
    if attested.id.len() > LONGEST_ID {
        return Err(Refusal::CredentialIdTooLong);
    }

    // Step 26: the credential id is not registered yet: the caller's, in the transaction that stores it.

    // Step 27: the credential record. Transports are the caller's: no signature covers them.
    Ok(RegisteredCredential {
        id: attested.id.to_vec(),
        public_key: attested.unverified_public_key.to_vec(),
        algorithm: key.algorithm,
        aaguid: attested.aaguid,
        sign_count: unverified.sign_count,
        backup_eligible: flags.backup_eligible(),
        backup_state: flags.backup_state(),
        attestation,
    })

    // Step 28: extension outputs: client outputs are unsigned and the caller's; of the authenticator's, only
    // the form has been checked (step 13).
    // Step 29: store the record: the caller's.
}
