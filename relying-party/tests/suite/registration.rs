use holdfast_relying_party::{Algorithm, Attestation, Expectations, Refusal, UnverifiedFormat};

use crate::soft_authenticator::*;

#[test]
fn a_good_registration_yields_the_credential() {
    let credential = Registration::good().verify().unwrap();
    assert_eq!(credential.id, CREDENTIAL_ID);
    assert_eq!(credential.public_key, cose_key(&signing_key()));
    assert_eq!(credential.algorithm, Algorithm::Es256);
    assert_eq!(credential.aaguid, [0xaa; 16]);
    assert_eq!(credential.sign_count, 0);
    assert!(credential.backup_eligible);
    assert!(!credential.backup_state);
    assert_eq!(credential.attestation, Attestation::None);
}

/// Changes the client data of a good registration.
fn with_client_data(from: &str, to: &str) -> Registration {
    let good = Registration::good();
    assert!(good.client_data.contains(from));
    Registration { client_data: good.client_data.replace(from, to), ..good }
}

/// Changes the flags of a good registration.
fn with_flags(flags: u8) -> Registration {
    let mut registration = Registration::good();
    registration.authenticator_data[FLAGS] = flags;
    registration
}

#[test]
fn an_assertions_client_data_do_not_register() {
    assert_eq!(with_client_data("webauthn.create", "webauthn.get").verify(), Err(Refusal::WrongType));
}

#[test]
fn another_challenge_is_refused() {
    let expected = Expectations { challenge: &[1; 32], ..EXPECTED };
    assert_eq!(Registration::good().verify_as(&expected), Err(Refusal::ChallengeMismatch));
}

#[test]
fn a_foreign_origin_is_refused() {
    for foreign in [
        "https://example.org",
        "https://console.example.org.evil.example",
        "https://a.console.example.org",
        "https://console.example.org:8443",
        "https://console.example.org/",
        "HTTPS://console.example.org",
        "http://console.example.org",
        "null",
        "",
    ] {
        assert_eq!(with_client_data(ORIGIN, foreign).verify(), Err(Refusal::ForeignOrigin), "{foreign}");
    }
}

#[test]
fn a_foreign_frame_is_refused() {
    let unnamed = with_client_data(r#""crossOrigin":false"#, r#""crossOrigin":true"#);
    assert_eq!(unnamed.verify(), Err(Refusal::CrossOrigin));
    assert_eq!(unnamed.verify_as(&EXPECTED_IN_FRAME), Err(Refusal::CrossOrigin));

    let named = format!(r#""crossOrigin":true,"topOrigin":"{TOP_ORIGIN}""#);
    let named = with_client_data(r#""crossOrigin":false"#, &named);
    assert_eq!(named.verify(), Err(Refusal::CrossOrigin));
    assert!(named.verify_as(&EXPECTED_IN_FRAME).is_ok());

    let foreign = with_client_data(
        r#""crossOrigin":false"#,
        r#""crossOrigin":true,"topOrigin":"https://evil.example""#,
    );
    assert_eq!(foreign.verify_as(&EXPECTED_IN_FRAME), Err(Refusal::ForeignTopOrigin));
}

#[test]
fn a_passkey_of_another_relying_party_is_refused() {
    let expected = Expectations { rp_id: "console.example.org", ..EXPECTED };
    assert_eq!(Registration::good().verify_as(&expected), Err(Refusal::RpIdMismatch));
}

#[test]
fn nobody_present_is_refused() {
    assert_eq!(with_flags(UV | AT).verify(), Err(Refusal::UserPresenceMissing));
}

#[test]
fn nobody_verified_is_refused() {
    assert_eq!(with_flags(UP | AT).verify(), Err(Refusal::UserVerificationMissing));
}

#[test]
fn backed_up_without_being_eligible_is_refused() {
    assert_eq!(with_flags(UP | UV | BS | AT).verify(), Err(Refusal::BackupStateWithoutEligibility));
}

#[test]
fn backup_flags_are_returned_as_they_are() {
    for (flags, eligible, state) in [(0, false, false), (BE, true, false), (BE | BS, true, true)] {
        let credential = with_flags(UP | UV | AT | flags).verify().unwrap();
        assert_eq!((credential.backup_eligible, credential.backup_state), (eligible, state));
    }
}

#[test]
fn reserved_flags_are_passed_over() {
    assert!(with_flags(UP | UV | AT | 1 << 1 | 1 << 5).verify().is_ok());
}

#[test]
fn a_registration_without_a_credential_is_refused() {
    let registration =
        Registration { authenticator_data: authenticator_data(UP | UV, 0), ..Registration::good() };
    assert_eq!(registration.verify(), Err(Refusal::CredentialDataMissing));
}

#[test]
fn bytes_after_the_public_key_are_refused() {
    let mut registration = Registration::good();
    registration.authenticator_data.push(0);
    assert_eq!(registration.verify(), Err(Refusal::TrailingBytes));
}

#[test]
fn bytes_after_the_attestation_object_are_refused() {
    let good = Registration::good();
    let longer = [good.attestation_object(), vec![0]].concat();
    let verdict = verify_registered(&EXPECTED, good.client_data.as_bytes(), &longer);
    assert_eq!(verdict, Err(Refusal::TrailingBytes));
}

#[test]
fn credential_ids_have_1_to_1023_bytes() {
    let with_id = |id: &[u8]| {
        let attested = attested(id, &cose_key(&signing_key()));
        let authenticator_data = [authenticator_data(UP | UV | AT, 0), attested].concat();
        Registration { authenticator_data, ..Registration::good() }.verify().map(|credential| credential.id)
    };
    assert_eq!(with_id(&[]), Err(Refusal::MalformedAuthenticatorData));
    assert_eq!(with_id(&[5]), Ok(vec![5]));
    assert_eq!(with_id(&[5; 1023]), Ok(vec![5; 1023]));
    assert_eq!(with_id(&[5; 1024]), Err(Refusal::CredentialIdTooLong));
}

#[test]
fn extension_outputs_are_a_map_with_distinct_text_keys() {
    let with_extensions = |extensions: &[u8]| {
        let mut registration = with_flags(UP | UV | AT | ED);
        registration.authenticator_data.extend_from_slice(extensions);
        registration.verify().map(|_| ())
    };
    let prf = || (text("hmac-secret"), vec![0xf5]);
    let protect = || (text("credProtect"), integer(3));
    assert_eq!(with_extensions(&map(&[prf(), protect()])), Ok(()));
    assert_eq!(with_extensions(&map(&[prf(), prf()])), Err(Refusal::MalformedExtensions));
    assert_eq!(with_extensions(&map(&[(integer(1), integer(1))])), Err(Refusal::MalformedExtensions));
    assert_eq!(with_extensions(&integer(1)), Err(Refusal::MalformedExtensions));
    assert_eq!(with_extensions(&[]), Err(Refusal::MalformedExtensions));
    assert_eq!(with_extensions(&[map(&[prf()]), vec![0]].concat()), Err(Refusal::TrailingBytes));
}

#[test]
fn the_attestation_object_has_three_members_each_once() {
    let good = Registration::good();
    let format = || (text("fmt"), text("none"));
    let statement = || (text("attStmt"), map(&[]));
    let data = || (text("authData"), bytes(&good.authenticator_data));
    let verdict = |members: &[(Vec<u8>, Vec<u8>)]| {
        verify_registered(&EXPECTED, good.client_data.as_bytes(), &map(members)).map(|_| ())
    };
    assert_eq!(verdict(&[data(), statement(), format()]), Ok(()));
    let malformed = Err(Refusal::MalformedAttestationObject);
    assert_eq!(verdict(&[format(), statement()]), malformed);
    assert_eq!(verdict(&[format(), data()]), malformed);
    assert_eq!(verdict(&[statement(), data()]), malformed);
    assert_eq!(verdict(&[format(), format(), statement(), data()]), malformed);
    assert_eq!(verdict(&[format(), statement(), statement(), data()]), malformed);
    assert_eq!(verdict(&[format(), statement(), data(), data()]), malformed);
    assert_eq!(verdict(&[format(), statement(), data(), (text("epAtt"), vec![0xf5])]), malformed);
}

#[test]
fn a_self_attestation_is_verified() {
    let good = Registration::self_attested();
    assert_eq!(good.verify().map(|credential| credential.attestation), Ok(Attestation::PackedSelf));

    let signature = sign(&good.authenticator_data, good.client_data.as_bytes());
    let other_algorithm = Registration { statement: self_attestation(-257, &signature), ..good.clone() };
    assert_eq!(other_algorithm.verify(), Err(Refusal::AttestationSignatureInvalid));

    let signature = sign(&good.authenticator_data, b"other client data");
    let not_signed = Registration { statement: self_attestation(-7, &signature), ..good };
    assert_eq!(not_signed.verify(), Err(Refusal::AttestationSignatureInvalid));
}

#[test]
fn statements_must_have_the_form_of_their_format() {
    let algorithm = || (text("alg"), integer(-7));
    let signature = || (text("sig"), bytes(&[0; 70]));
    for (format, statement) in [
        ("none", map(&[algorithm()])),
        ("none", integer(0)),
        ("packed", map(&[])),
        ("packed", map(&[algorithm()])),
        ("packed", map(&[signature()])),
        ("packed", map(&[algorithm(), algorithm(), signature()])),
        ("packed", map(&[algorithm(), signature(), signature()])),
        ("packed", map(&[algorithm(), signature(), (text("ecdaaKeyId"), bytes(&[1]))])),
    ] {
        let registration = Registration { format, statement, ..Registration::good() };
        assert_eq!(registration.verify(), Err(Refusal::MalformedAttestationStatement), "{format}");
    }
}

#[test]
fn statements_that_nobody_asked_for_are_reported_as_unverified() {
    let certificates = (text("x5c"), vec![0x81, 0x41, 0x00]);
    let packed = map(&[(text("alg"), integer(-7)), (text("sig"), bytes(&[0; 70])), certificates]);
    for (format, statement, seen) in [
        ("packed", packed, UnverifiedFormat::Packed),
        ("tpm", map(&[]), UnverifiedFormat::Tpm),
        ("android-key", map(&[]), UnverifiedFormat::AndroidKey),
        ("android-safetynet", map(&[]), UnverifiedFormat::AndroidSafetyNet),
        ("fido-u2f", map(&[]), UnverifiedFormat::FidoU2f),
        ("apple", map(&[]), UnverifiedFormat::Apple),
        ("compound", vec![0x80], UnverifiedFormat::Compound),
    ] {
        let registration = Registration { format, statement, ..Registration::good() };
        let attestation = registration.verify().unwrap().attestation;
        assert_eq!(attestation, Attestation::Unverified(seen));
        assert_eq!(attestation.format(), format);
    }
}

#[test]
fn formats_that_are_not_registered_are_refused() {
    for format in ["", "None", "packed2", "com.example.attestation"] {
        let registration = Registration { format, ..Registration::good() };
        assert_eq!(registration.verify(), Err(Refusal::UnsupportedAttestationFormat), "{format}");
    }
}
