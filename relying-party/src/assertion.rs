//! A passkey used: WebAuthn Level 3 §7.2, step by step.

use aws_lc_rs::digest::{SHA256, digest};

use crate::authenticator_data::AuthenticatorData;
use crate::client_data::{Ceremony, ClientData};
use crate::cose::CredentialKey;
use crate::{Expectations, Refusal};

/// An `AuthenticatorAssertionResponse` and the `rawId` beside it, as raw bytes.
#[derive(Debug, Clone, Copy)]
pub struct AssertionResponse<'a> {
    /// `rawId` of the `PublicKeyCredential`.
    pub credential_id: &'a [u8],
    /// `clientDataJSON`, exactly as received.
    pub client_data_json: &'a [u8],
    /// `authenticatorData`.
    pub authenticator_data: &'a [u8],
    /// `signature`.
    pub signature: &'a [u8],
    /// `userHandle`; `None` where the authenticator gave none.
    pub user_handle: Option<&'a [u8]>,
}

/// What the server stored of the credential that the response names.
#[derive(Debug, Clone, Copy)]
pub struct StoredCredential<'a> {
    /// Its id.
    pub id: &'a [u8],
    /// [`crate::RegisteredCredential::public_key`].
    pub public_key: &'a [u8],
    /// The counter of its last use.
    pub sign_count: u32,
    /// Its eligibility for backup at registration.
    pub backup_eligible: bool,
    /// The account that it belongs to.
    pub owner: Owner<'a>,
}

/// The user handle (`user.id`, 1 to 64 bytes) of the account that owns a credential, and how the server came
/// to that account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// The account was known before the ceremony (a name typed, a session, a step-up). The credential was
    /// looked up among its own. The response may leave the user handle out, and may not name another.
    KnownBefore(&'a [u8]),
    /// The response alone says whose it is (discoverable credential, autofill). It must name the account.
    NamedByResponse(&'a [u8]),
}

/// An assertion that has passed every check of §7.2. It exists only so: the user was present and verified, and
/// the passkey signed this very challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedAssertion {
    /// The signature counter to store.
    pub sign_count: u32,
    /// What the counter tells.
    pub counter: CounterSignal,
    /// Whether the passkey is synced now; to store.
    pub backup_state: bool,
}

/// What the signature counter tells. A signal, not a refusal: what to do is the caller's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CounterSignal {
    /// Greater than the stored one, as it should be.
    Forward,
    /// Zero now and before: the authenticator keeps none. Synced passkeys do not.
    Unsupported,
    /// Not greater than the stored one: there may be two copies of the private key.
    WentBackwards,
}

/// Verifies an assertion: WebAuthn Level 3 §7.2.
///
/// # Errors
/// The first [`Refusal`] in the order of the standard's steps.
pub fn verify_assertion(
    expected: &Expectations<'_>,
    credential: &StoredCredential<'_>,
    response: &AssertionResponse<'_>,
) -> Result<VerifiedAssertion, Refusal> {
    verify(expected, credential, response, |signed, signature| {
        Ok(ReadyKey::read(credential.public_key)?.key.verifies(signed, signature))
    })
}

/// The same for who has read the credential's public key before, as for whoever judges many of its assertions.
///
/// # Errors
/// As of [`verify_assertion`]; [`Refusal::CredentialMismatch`] where `key` is not that of `credential`.
pub fn verify_assertion_with(
    key: &ReadyKey,
    expected: &Expectations<'_>,
    credential: &StoredCredential<'_>,
    response: &AssertionResponse<'_>,
) -> Result<VerifiedAssertion, Refusal> {
    if key.public_key != credential.public_key {
        return Err(Refusal::CredentialMismatch);
    }
    verify(expected, credential, response, |signed, signature| Ok(key.key.verifies(signed, signature)))
}

/// A stored public key that has been read.
pub struct ReadyKey {
    public_key: Vec<u8>,
    key: CredentialKey,
}

impl ReadyKey {
    /// Reads [`StoredCredential::public_key`].
    ///
    /// # Errors
    /// [`Refusal::StoredKeyUnreadable`].
    pub fn read(public_key: &[u8]) -> Result<Self, Refusal> {
        let key = CredentialKey::parse(public_key).map_err(|_| Refusal::StoredKeyUnreadable)?;
        Ok(Self { public_key: public_key.to_vec(), key })
    }
}

fn verify(
    expected: &Expectations<'_>,
    credential: &StoredCredential<'_>,
    response: &AssertionResponse<'_>,
    verifies: impl FnOnce(&[u8], &[u8]) -> Result<bool, Refusal>,
) -> Result<VerifiedAssertion, Refusal> {
    // Steps 1 to 4 (make options, call the browser, take the response and the client extension results) are
    // done before.

    // Step 5: if allowCredentials was not empty, the id is one of them: the caller's, who looks the credential
    // up among those it allowed.

    // Step 6: the record is that of the credential in the response, and of the account.
    if credential.id != response.credential_id {
        return Err(Refusal::CredentialMismatch);
    }
    credential.owner.verify(response.user_handle)?;

    // Step 7: cData, authData and sig are the members of `response`.

    // Step 8, 9: UTF-8 decode, JSON parse.
    let client_data = ClientData::parse(response.client_data_json)?;

    // Step 10: C.type is webauthn.get.
    client_data.verify_type(Ceremony::Get)?;

    // Step 11: C.challenge is the base64url encoding of the challenge.
    client_data.verify_challenge(expected)?;

    // Step 12: C.origin is expected.
    client_data.verify_origin(expected)?;

    // Step 13: if C.crossOrigin is true, a frame within a foreign page is expected.
    client_data.verify_cross_origin(expected)?;

    // Step 14: if C.topOrigin is present, that page is expected.
    client_data.verify_top_origin(expected)?;

    // Step 15: rpIdHash is the hash of the relying party id. (The appid extension is not used.)
    let unverified = AuthenticatorData::parse(response.authenticator_data)?;
    if unverified.attested.is_some() {
        // §6.1: an assertion carries no attested credential data.
        return Err(Refusal::CredentialDataUnexpected);
    }
    if unverified.rp_id_hash != digest(&SHA256, expected.rp_id.as_bytes()).as_ref() {
        return Err(Refusal::RpIdMismatch);
    }

    // Step 16: UP is set.
    let flags = unverified.flags;
    if !flags.user_present() {
        return Err(Refusal::UserPresenceMissing);
    }

    // Step 17: UV is set; it is always required.
    if !flags.user_verified() {
        return Err(Refusal::UserVerificationMissing);
    }

    // Step 18: without BE no BS.
    if flags.backup_state() && !flags.backup_eligible() {
        return Err(Refusal::BackupStateWithoutEligibility);
    }

    // Step 19: BE is as it was at registration. For BS there is no policy, it is returned.
    if flags.backup_eligible() != credential.backup_eligible {
        return Err(Refusal::BackupEligibilityChanged);
    }

    // Step 20: hash of the client data.
    let client_data_hash = digest(&SHA256, response.client_data_json);

    // Step 21: sig is a signature over authData and hash, by the stored public key.
    let signed = [response.authenticator_data, client_data_hash.as_ref()].concat();
    if !verifies(&signed, response.signature)? {
        return Err(Refusal::SignatureInvalid);
    }

    // Step 22: the signature counter, as a signal.
    let counter = CounterSignal::from_counts(credential.sign_count, unverified.sign_count);

    // Step 23: extension outputs: client outputs are unsigned and the caller's; of the authenticator's, only
    // the form has been checked (step 15).

    // Step 24, 25: update the record and go on: the caller's, from this.
    Ok(VerifiedAssertion { sign_count: unverified.sign_count, counter, backup_state: flags.backup_state() })
}

impl Owner<'_> {
    fn verify(self, user_handle: Option<&[u8]>) -> Result<(), Refusal> {
        match (self, user_handle) {
            (Self::KnownBefore(_), None) => Ok(()),
            (Self::NamedByResponse(_), None) => Err(Refusal::UserHandleMissing),
            (Self::KnownBefore(owner) | Self::NamedByResponse(owner), Some(named)) => {
                if owner == named {
                    Ok(())
                } else {
                    Err(Refusal::UserHandleMismatch)
                }
            }
        }
    }
}

impl CounterSignal {
    const fn from_counts(stored: u32, received: u32) -> Self {
        if received == 0 && stored == 0 {
            Self::Unsupported
        } else if received > stored {
            Self::Forward
        } else {
            Self::WentBackwards
        }
    }
}
