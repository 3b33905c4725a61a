use super::{Fault, Rules};
use crate::tokens;
use holdfast_protocol::{
    ids::{PasskeyId, SessionId},
    step_up::{Kind, hash_of},
    tokens::{Claims, Purpose, UnverifiedToken, challenge_of},
};
use holdfast_relying_party::{
    AssertionResponse, Expectations, Owner, ReadyKey, Refusal, StoredCredential, verify_assertion_with,
};
use std::iter;

/// A passkey as the trail has it.
pub(super) struct Passkey {
    pub id: PasskeyId,
    /// COSE_Key (RFC 9052).
    pub public_key: Vec<u8>,
    /// The same, read once for all of its signatures; why it cannot be read is said of each of these.
    pub key: Result<ReadyKey, Refusal>,
    pub backup_eligible: bool,
    pub removed: bool,
}

/// A confirmed step-up with its evidence.
pub(super) struct Confirmed<'a> {
    pub account: &'a [u8],
    pub session: Option<&'a SessionId>,
    pub at_ms: i64,
    pub action: Kind,
    pub sentence: &'a str,
    pub parameters: &'a str,
    pub token: &'a str,
    pub response: AssertionResponse<'a>,
}

impl Confirmed<'_> {
    /// Everything that the server checked when it carried the action out, once more: from the parameters to
    /// the sentence, from these to the token, and from the token to the signature. `removing` is the passkey
    /// whose removal comes directly before.
    pub(super) fn verify(
        &self,
        passkey: Option<&Passkey>,
        removing: Option<&PasskeyId>,
        rules: &Rules,
    ) -> Result<Claims, Fault> {
        let said = self.action.read(self.parameters).ok_or(Fault::Parameters)?;
        // Read once only: that it is in its one spelling was the server's to see when it signed it.
        let token = UnverifiedToken::read_by(self.token, |json| serde_json::from_str(json).ok());
        let token = token.map_err(|_| Fault::Token)?;
        if let Some(keys) = &rules.keys {
            tokens::verify(keys, self.token).map_err(|_| Fault::Mac)?;
        }
        // Where the secret is not at hand: the passkey's signature covers every byte of the token.
        let claims = token.into_claims_after_mac();
        let Purpose::StepUp(named) = &claims.purpose else { return Err(Fault::Token) };
        if claims.nonce.0.len() != 32 {
            return Err(Fault::Token);
        }
        let fits = [
            ("account", named.account.as_str().as_bytes() == self.account),
            ("session", Some(&named.session) == self.session),
            ("action", named.action == self.action),
            ("target", named.target == said.target),
            ("parameters", named.parameters == hash_of(self.parameters)),
            ("sentence", named.sentence == said.sentence),
        ];
        if let Some((what, _)) = fits.into_iter().find(|(_, fits)| !fits) {
            return Err(Fault::MadeForAnother { what });
        }
        if self.sentence != said.sentence {
            return Err(Fault::Sentence);
        }
        tokens::require_in_time(&claims, self.at_ms).map_err(|_| Fault::Time)?;
        let passkey = passkey.ok_or(Fault::UnknownPasskey)?;
        // A passkey may confirm its own end, which is recorded first.
        let is_own_end = self.action == Kind::PasskeyRemove
            && said.target == passkey.id.as_str()
            && removing == Some(&passkey.id);
        if passkey.removed && !is_own_end {
            return Err(Fault::RemovedPasskey);
        }
        self.verify_signature(passkey, &claims, rules)?;
        Ok(claims)
    }

    fn verify_signature(&self, passkey: &Passkey, claims: &Claims, rules: &Rules) -> Result<(), Fault> {
        let origins: Vec<&str> =
            iter::once(&claims.origin).chain(&rules.related_origins).map(String::as_str).collect();
        let top_origins: Vec<&str> = rules.embedding_origins.iter().map(String::as_str).collect();
        let expected = Expectations {
            challenge: &challenge_of(self.token),
            rp_id: &claims.rp_id,
            origins: &origins,
            top_origins: &top_origins,
        };
        let credential = StoredCredential {
            id: self.response.credential_id,
            public_key: &passkey.public_key,
            // The counter was judged when it came.
            sign_count: 0,
            backup_eligible: passkey.backup_eligible,
            // The trail is the account's own, and so are the passkeys that were found in it.
            owner: Owner::KnownBefore(&[]),
        };
        let key = passkey.key.as_ref().map_err(|why| Fault::Assertion(*why))?;
        let verified = verify_assertion_with(key, &expected, &credential, &self.response);
        verified.map(drop).map_err(Fault::Assertion)
    }
}
