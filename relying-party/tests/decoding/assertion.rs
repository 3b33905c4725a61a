use ciborium::Value;
use holdfast_relying_party::{
    AssertionResponse, CounterSignal, Expectations, Owner, Refusal, StoredCredential, VerifiedAssertion,
    verify_assertion,
};

/// Stands between the parts of an input, so that a part can grow without moving the others.
pub const BETWEEN: &[u8] = b"\n--\n";
const ID: &[u8] = b"credential";
const OWNER: &[u8] = b"somebody";
const STORED_COUNT: u32 = 7;
const UP_UV: u8 = 1 | 1 << 2;
const BE: u8 = 1 << 3;
const BS: u8 = 1 << 4;
const AT: u8 = 1 << 6;

/// The challenge of the ceremony, and the three parts of a response.
#[derive(Clone, Copy)]
struct Given<'a> {
    challenge: &'a [u8],
    client_data: &'a [u8],
    authenticator_data: &'a [u8],
    signature: &'a [u8],
}

/// An assertion that is taken is signed, every byte of it, for this challenge, and its authenticator
/// has seen the user. The input is challenge, public key, client data, authenticator data and
/// signature. Whether it is taken.
pub fn holds(input: &[u8]) -> bool {
    let mut rest = input;
    let [challenge, public_key, client_data, authenticator_data] = [(); 4].map(|()| part(&mut rest));
    let given = Given { challenge, client_data, authenticator_data, signature: rest };
    let flags = authenticator_data.get(32).copied().unwrap_or_default();
    let eligible = flags & BE != 0;
    let stored = StoredCredential {
        id: ID,
        public_key,
        sign_count: STORED_COUNT,
        backup_eligible: eligible,
        owner: Owner::KnownBefore(OWNER),
    };
    let Ok(verified) = verify(&stored, &given) else { return false };

    assert_eq!(flags & (UP_UV | AT), UP_UV);
    assert_eq!(verified.backup_state, flags & BS != 0);
    assert!(eligible || !verified.backup_state);
    assert_eq!(authenticator_data[33..37], verified.sign_count.to_be_bytes());
    let forward = verified.sign_count > STORED_COUNT;
    assert_eq!(verified.counter, if forward { CounterSignal::Forward } else { CounterSignal::WentBackwards });
    is_canonical(public_key);
    is_signed(&stored, &given);
    is_of_this_credential(&stored, &given);
    true
}

/// Takes what stands before the next mark, or everything.
fn part<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN);
    let (part, after) = match end {
        Some(end) => (&rest[..end], &rest[end + BETWEEN.len()..]),
        None => (*rest, &[][..]),
    };
    *rest = after;
    part
}

fn verify(stored: &StoredCredential<'_>, given: &Given<'_>) -> Result<VerifiedAssertion, Refusal> {
    verify_with(stored, given, None)
}

fn verify_with(
    stored: &StoredCredential<'_>,
    given: &Given<'_>,
    user_handle: Option<&[u8]>,
) -> Result<VerifiedAssertion, Refusal> {
    let expected = Expectations {
        challenge: given.challenge,
        rp_id: "example.org",
        origins: &["https://example.org"],
        top_origins: &["https://example.com"],
    };
    let response = AssertionResponse {
        credential_id: ID,
        client_data_json: given.client_data,
        authenticator_data: given.authenticator_data,
        signature: given.signature,
        user_handle,
    };
    verify_assertion(&expected, stored, &response)
}

fn is_canonical(cbor: &[u8]) {
    let mut written = Vec::new();
    let value: Value = ciborium::from_reader(cbor).unwrap_or(Value::Null);
    let done = ciborium::into_writer(&value, &mut written);
    assert!(done.is_ok() && written == cbor, "{cbor:02x?} is {written:02x?}");
}

fn is_signed(stored: &StoredCredential<'_>, given: &Given<'_>) {
    let mut counter = given.authenticator_data.to_vec();
    counter[36] ^= 1;
    let client_data = [given.client_data, b" "].concat();
    let (_, shorter) = given.signature.split_last().unwrap_or((&0, &[]));
    for other in [
        Given { authenticator_data: &counter, ..*given },
        Given { client_data: &client_data, ..*given },
        Given { signature: shorter, ..*given },
        Given { signature: &[], ..*given },
    ] {
        assert_eq!(verify(stored, &other), Err(Refusal::SignatureInvalid));
    }
    let challenge = [given.challenge, b" "].concat();
    let other = Given { challenge: &challenge, ..*given };
    assert_eq!(verify(stored, &other), Err(Refusal::ChallengeMismatch));
}

fn is_of_this_credential(stored: &StoredCredential<'_>, given: &Given<'_>) {
    let refused = |stored: StoredCredential<'_>| verify(&stored, given).err();
    let other = StoredCredential { id: b"other", ..*stored };
    assert_eq!(refused(other), Some(Refusal::CredentialMismatch));
    let other = StoredCredential { backup_eligible: !stored.backup_eligible, ..*stored };
    assert_eq!(refused(other), Some(Refusal::BackupEligibilityChanged));
    let other = StoredCredential { owner: Owner::NamedByResponse(OWNER), ..*stored };
    assert_eq!(refused(other), Some(Refusal::UserHandleMissing));
    assert_eq!(verify_with(stored, given, Some(b"other")), Err(Refusal::UserHandleMismatch));
    assert_eq!(verify_with(stored, given, Some(OWNER)), verify(stored, given));
}
