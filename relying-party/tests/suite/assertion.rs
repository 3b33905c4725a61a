use holdfast_relying_party::{
    AssertionResponse, CounterSignal, Expectations, Owner, ReadyKey, Refusal, verify_assertion,
    verify_assertion_with,
};

use crate::soft_authenticator::*;

#[test]
fn a_good_assertion_is_accepted() {
    let verified = Assertion::good().verify().unwrap();
    assert_eq!(verified.sign_count, 8);
    assert_eq!(verified.counter, CounterSignal::Forward);
    assert!(!verified.backup_state);
}

/// Changes the client data of a good assertion, before it is signed.
fn with_client_data(from: &str, to: &str) -> Assertion {
    let good = Assertion::good();
    assert!(good.client_data.contains(from));
    Assertion { client_data: good.client_data.replace(from, to), ..good }
}

/// Changes flags and counter of a good assertion, before it is signed.
fn with_authenticator_data(flags: u8, sign_count: u32) -> Assertion {
    Assertion { authenticator_data: authenticator_data(flags, sign_count), ..Assertion::good() }
}

#[test]
fn a_registrations_client_data_do_not_assert() {
    assert_eq!(with_client_data("webauthn.get", "webauthn.create").verify(), Err(Refusal::WrongType));
    assert_eq!(with_client_data("webauthn.get", "payment.get").verify(), Err(Refusal::WrongType));
}

#[test]
fn another_challenge_is_refused() {
    let expected = Expectations { challenge: &[1; 32], ..EXPECTED };
    assert_eq!(Assertion::good().verify_as(&expected), Err(Refusal::ChallengeMismatch));
}

#[test]
fn a_challenge_has_one_spelling() {
    let spelling = "YSB0b2tlbidzIFNIQS0yNTYsIG9mIDMyIGJ5dGVzOiA";
    let good = with_client_data(spelling, spelling);
    assert!(good.verify().is_ok());
    for other in [
        format!("{spelling}="),
        format!("{spelling} "),
        // The last character's two lowest bits belong to no byte.
        spelling.replace("iA", "iB"),
        spelling.to_lowercase(),
        String::new(),
    ] {
        assert_eq!(with_client_data(spelling, &other).verify(), Err(Refusal::ChallengeMismatch), "{other}");
    }
}

#[test]
fn the_alphabet_of_challenges_is_that_of_urls() {
    let expected = Expectations { challenge: &[0xfb; 18], ..EXPECTED };
    let spelled = |spelling: &str| with_client_data("YSB0b2tlbidzIFNIQS0yNTYsIG9mIDMyIGJ5dGVzOiA", spelling);
    assert!(spelled("-_v7-_v7-_v7-_v7-_v7-_v7").verify_as(&expected).is_ok());
    let standard_alphabet = spelled("+/v7+/v7+/v7+/v7+/v7+/v7");
    assert_eq!(standard_alphabet.verify_as(&expected), Err(Refusal::ChallengeMismatch));
}

#[test]
fn a_short_challenge_of_the_servers_is_refused() {
    let empty = with_client_data("YSB0b2tlbidzIFNIQS0yNTYsIG9mIDMyIGJ5dGVzOiA", "");
    let expected = Expectations { challenge: &[], ..EXPECTED };
    assert_eq!(empty.verify_as(&expected), Err(Refusal::ChallengeTooShort));

    let short = with_client_data("YSB0b2tlbidzIFNIQS0yNTYsIG9mIDMyIGJ5dGVzOiA", "AAAAAAAAAAAAAAAAAAAA");
    let expected = Expectations { challenge: &[0; 15], ..EXPECTED };
    assert_eq!(short.verify_as(&expected), Err(Refusal::ChallengeTooShort));
}

#[test]
fn a_foreign_origin_is_refused() {
    let foreign = with_client_data(ORIGIN, "https://evil.example");
    assert_eq!(foreign.verify(), Err(Refusal::ForeignOrigin));
}

#[test]
fn a_related_origin_is_accepted_when_listed() {
    let related = with_client_data(ORIGIN, "https://example.net");
    let expected = Expectations { origins: &[ORIGIN, "https://example.net"], ..EXPECTED };
    assert!(related.verify_as(&expected).is_ok());
}

#[test]
fn a_foreign_frame_is_refused() {
    let unnamed = with_client_data(r#""crossOrigin":false"#, r#""crossOrigin":true"#);
    assert_eq!(unnamed.verify(), Err(Refusal::CrossOrigin));
    assert_eq!(unnamed.verify_as(&EXPECTED_IN_FRAME), Err(Refusal::CrossOrigin));

    let foreign = r#""crossOrigin":true,"topOrigin":"https://evil.example""#;
    let foreign = with_client_data(r#""crossOrigin":false"#, foreign);
    assert_eq!(foreign.verify(), Err(Refusal::CrossOrigin));
    assert_eq!(foreign.verify_as(&EXPECTED_IN_FRAME), Err(Refusal::ForeignTopOrigin));
}

#[test]
fn a_frame_within_a_configured_page_is_accepted() {
    let named = format!(r#""crossOrigin":true,"topOrigin":"{TOP_ORIGIN}""#);
    let named = with_client_data(r#""crossOrigin":false"#, &named);
    assert!(named.verify_as(&EXPECTED_IN_FRAME).is_ok());
}

#[test]
fn a_foreign_top_origin_is_refused_whatever_cross_origin_says() {
    let foreign = r#""crossOrigin":false,"topOrigin":"https://evil.example""#;
    let foreign = with_client_data(r#""crossOrigin":false"#, foreign);
    assert_eq!(foreign.verify(), Err(Refusal::ForeignTopOrigin));
    assert_eq!(foreign.verify_as(&EXPECTED_IN_FRAME), Err(Refusal::ForeignTopOrigin));
}

#[test]
fn absent_cross_origin_is_false_and_unknown_members_are_passed_over() {
    assert!(with_client_data(r#""crossOrigin":false,"#, "").verify().is_ok());
    let token_binding = r#""other":[],"tokenBinding":{"status":"supported"}"#;
    assert!(with_client_data(r#""other":["keys"]"#, token_binding).verify().is_ok());
}

#[test]
fn client_data_that_no_browser_makes_are_refused() {
    let as_array = Assertion {
        client_data: format!(
            r#"["webauthn.get","YSB0b2tlbidzIFNIQS0yNTYsIG9mIDMyIGJ5dGVzOiA","{ORIGIN}",false,"{TOP_ORIGIN}"]"#
        ),
        ..Assertion::good()
    };
    assert_eq!(as_array.verify_as(&EXPECTED_IN_FRAME), Err(Refusal::MalformedClientData));

    for (from, to) in [
        (r#""other":["keys"]"#, r#""type":"webauthn.get""#),
        (r#""other":["keys"]"#, r#""\u0074ype":"webauthn.get""#),
        (r#""other":["keys"]"#, r#""origin":"https://console.example.org""#),
        (r#""other":["keys"]"#, r#""challenge":"""#),
        (r#""other":["keys"]"#, r#""crossOrigin":false"#),
        (r#""other":["keys"]"#, r#""topOrigin":null"#),
        (r#""crossOrigin":false"#, r#""crossOrigin":null"#),
        (r#""crossOrigin":false"#, r#""crossOrigin":"false""#),
        (r#""type":"webauthn.get","#, ""),
        (r#"{""#, r#" {""#),
        (r#"["keys"]}"#, r#"["keys"]"#),
        (r#"["keys"]}"#, r#"["keys"]} x"#),
    ] {
        assert_eq!(with_client_data(from, to).verify(), Err(Refusal::MalformedClientData), "{to}");
    }
}

#[test]
fn client_data_are_utf8_and_may_begin_with_a_byte_order_mark() {
    assert!(with_client_data("{", "\u{feff}{").verify().is_ok());
    assert_eq!(with_client_data("{", "\u{feff}\u{feff}{").verify(), Err(Refusal::MalformedClientData));

    // A lone continuation byte inside a member that is passed over.
    let good = Assertion::good();
    let mut client_data = good.client_data.clone().into_bytes();
    let inside = client_data.len() - 4;
    client_data[inside] = 0x80;
    let response = AssertionResponse {
        credential_id: &CREDENTIAL_ID,
        client_data_json: &client_data,
        authenticator_data: &good.authenticator_data,
        signature: &sign(&good.authenticator_data, &client_data),
        user_handle: None,
    };
    assert_eq!(verify_assertion(&EXPECTED, &good.stored, &response), Err(Refusal::MalformedClientData));
}

#[test]
fn a_passkey_of_another_relying_party_is_refused() {
    let expected = Expectations { rp_id: "example.com", ..EXPECTED };
    assert_eq!(Assertion::good().verify_as(&expected), Err(Refusal::RpIdMismatch));
}

#[test]
fn nobody_present_is_refused() {
    assert_eq!(with_authenticator_data(UV | BE, 8).verify(), Err(Refusal::UserPresenceMissing));
}

#[test]
fn nobody_verified_is_refused() {
    assert_eq!(with_authenticator_data(UP | BE, 8).verify(), Err(Refusal::UserVerificationMissing));
}

#[test]
fn backed_up_without_being_eligible_is_refused() {
    let verdict = with_authenticator_data(UP | UV | BS, 8).verify();
    assert_eq!(verdict, Err(Refusal::BackupStateWithoutEligibility));
}

#[test]
fn changed_backup_eligibility_is_refused() {
    let lost = with_authenticator_data(UP | UV, 8);
    assert_eq!(lost.verify(), Err(Refusal::BackupEligibilityChanged));

    let mut gained = with_authenticator_data(UP | UV | BE, 8);
    gained.stored.backup_eligible = false;
    assert_eq!(gained.verify(), Err(Refusal::BackupEligibilityChanged));
}

#[test]
fn backup_state_is_returned() {
    assert!(with_authenticator_data(UP | UV | BE | BS, 8).verify().unwrap().backup_state);
}

#[test]
fn the_counter_is_a_signal() {
    for (stored, received, signal) in [
        (0, 0, CounterSignal::Unsupported),
        (0, 1, CounterSignal::Forward),
        (7, 8, CounterSignal::Forward),
        (7, u32::MAX, CounterSignal::Forward),
        (7, 7, CounterSignal::WentBackwards),
        (7, 6, CounterSignal::WentBackwards),
        (7, 0, CounterSignal::WentBackwards),
    ] {
        let mut assertion = with_authenticator_data(UP | UV | BE, received);
        assertion.stored.sign_count = stored;
        let verified = assertion.verify().unwrap();
        assert_eq!((verified.counter, verified.sign_count), (signal, received));
    }
}

#[test]
fn a_credential_in_an_assertion_is_refused() {
    let mut assertion = with_authenticator_data(UP | UV | BE | AT, 8);
    assertion.authenticator_data.extend(attested(&CREDENTIAL_ID, &cose_key(&signing_key())));
    assert_eq!(assertion.verify(), Err(Refusal::CredentialDataUnexpected));
}

#[test]
fn extension_outputs_are_passed_over_and_nothing_may_follow() {
    let mut assertion = with_authenticator_data(UP | UV | BE | ED, 8);
    assert_eq!(assertion.verify(), Err(Refusal::MalformedExtensions));
    assertion.authenticator_data.extend(map(&[(text("hmac-secret"), bytes(&[1; 48]))]));
    assert!(assertion.verify().is_ok());
    assertion.authenticator_data.push(0);
    assert_eq!(assertion.verify(), Err(Refusal::TrailingBytes));
}

#[test]
fn bytes_after_the_authenticator_data_are_refused() {
    let mut assertion = Assertion::good();
    assertion.authenticator_data.extend(map(&[]));
    assert_eq!(assertion.verify(), Err(Refusal::TrailingBytes));
}

#[test]
fn another_credential_is_refused() {
    let mut assertion = Assertion::good();
    assertion.stored.id = b"another";
    assert_eq!(assertion.verify(), Err(Refusal::CredentialMismatch));
}

#[test]
fn the_user_handle_names_the_owner() {
    let verdict = |owner, user_handle| {
        let mut assertion = Assertion { user_handle, ..Assertion::good() };
        assertion.stored.owner = owner;
        assertion.verify().map(|_| ())
    };
    let known_before = Owner::KnownBefore(USER_HANDLE);
    let named_by_response = Owner::NamedByResponse(USER_HANDLE);
    assert_eq!(verdict(known_before, Some(USER_HANDLE)), Ok(()));
    assert_eq!(verdict(known_before, None), Ok(()));
    assert_eq!(verdict(known_before, Some(b"account 8")), Err(Refusal::UserHandleMismatch));
    assert_eq!(verdict(known_before, Some(b"")), Err(Refusal::UserHandleMismatch));
    assert_eq!(verdict(named_by_response, Some(USER_HANDLE)), Ok(()));
    assert_eq!(verdict(named_by_response, None), Err(Refusal::UserHandleMissing));
    assert_eq!(verdict(named_by_response, Some(b"account 8")), Err(Refusal::UserHandleMismatch));
}

#[test]
fn a_key_that_was_read_before_is_the_credentials_own() {
    let good = Assertion::good();
    let other = ReadyKey::read(&cose_key(&p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap())).unwrap();
    let response = AssertionResponse {
        credential_id: &CREDENTIAL_ID,
        client_data_json: good.client_data.as_bytes(),
        authenticator_data: &good.authenticator_data,
        signature: &good.signature(),
        user_handle: good.user_handle,
    };
    let with = |key: &ReadyKey| verify_assertion_with(key, &EXPECTED, &good.stored, &response);
    assert!(with(&ReadyKey::read(good.stored.public_key).unwrap()).is_ok());
    assert_eq!(with(&other), Err(Refusal::CredentialMismatch));
}

#[test]
fn a_stored_key_that_cannot_be_read_is_the_servers_fault() {
    let mut assertion = Assertion::good();
    assertion.stored.public_key = &[0xa0];
    assert_eq!(assertion.verify(), Err(Refusal::StoredKeyUnreadable));

    let longer = [cose_key(&signing_key()), vec![0]].concat();
    assertion.stored.public_key = longer.leak();
    assert_eq!(assertion.verify(), Err(Refusal::StoredKeyUnreadable));
}

#[test]
fn another_keys_signature_is_refused() {
    let mut assertion = Assertion::good();
    let other = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    assertion.stored.public_key = cose_key(&other).leak();
    assert_eq!(assertion.verify(), Err(Refusal::SignatureInvalid));
}

#[test]
fn every_flipped_bit_of_what_is_signed_is_refused() {
    let good = Assertion::good();
    let signature = good.signature();
    let verdict = |client_data_json: &[u8], authenticator_data: &[u8], signature: &[u8]| {
        let user_handle = good.user_handle;
        let response = AssertionResponse {
            credential_id: &CREDENTIAL_ID,
            client_data_json,
            authenticator_data,
            signature,
            user_handle,
        };
        verify_assertion(&EXPECTED, &good.stored, &response)
    };
    let client_data = good.client_data.as_bytes();
    assert!(verdict(client_data, &good.authenticator_data, &signature).is_ok());
    for flipped in flips(client_data) {
        assert!(verdict(&flipped, &good.authenticator_data, &signature).is_err());
    }
    for flipped in flips(&good.authenticator_data) {
        assert!(verdict(client_data, &flipped, &signature).is_err());
    }
    for flipped in flips(&signature) {
        let refused = verdict(client_data, &good.authenticator_data, &flipped);
        assert_eq!(refused, Err(Refusal::SignatureInvalid));
    }
}

fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}
