use holdfast_protocol::{
    ids::{AccountId, CeremonyId, SessionId, Thumbprint},
    step_up::{Action, Kind, Locale, canonical_text, hash_of, is_legible},
    tokens::{Begun, Claims, Purpose, TokenError, UnverifiedToken},
};

/// What the person asked for, as both sides spell it: made here, from the parameters alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which action.
    pub kind: Kind,
    /// The unchanging id of what it is done to.
    pub target: String,
    /// The parameters in their one spelling (RFC 8785).
    pub canonical: String,
    /// What the person reads.
    pub sentence: String,
    /// Whose signature it takes.
    pub signer: Signer,
}

/// Which passkeys may confirm an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// Any of the account's.
    AnyPasskey,
    /// The one that the action is about.
    ThatPasskey,
}

impl Asked {
    /// `None`: the parameters have no canonical spelling, or a person could not read them as they are. The names
    /// in them came from the server.
    pub fn of<A: Action>(parameters: &A) -> Option<Self> {
        Some(Self {
            kind: A::KIND,
            target: parameters.target(),
            canonical: canonical_text(parameters)?,
            sentence: Some(parameters.sentence(Locale::En)).filter(|sentence| is_legible(sentence))?,
            signer: parameters.passkey().map_or(Signer::AnyPasskey, |_| Signer::ThatPasskey),
        })
    }
}

/// Who asks, as this browser knows it.
pub struct Asker<'a> {
    /// Whose console this is.
    pub account: &'a AccountId,
    /// In which session.
    pub session: &'a SessionId,
    /// Of this browser's key.
    pub jkt: &'a Thumbprint,
    /// `location.origin`
    pub origin: &'a str,
}

/// What came back to be signed.
pub struct Offer<'a> {
    /// Beside the token.
    pub ceremony: &'a CeremonyId,
    /// Anybody's so far.
    pub unverified_token: &'a str,
    /// `challenge` of the options, as bytes.
    pub challenge: &'a [u8],
    /// `rpId` of the options.
    pub rp_id: &'a str,
    /// `userVerification` of the options.
    pub user_verification: &'a str,
}

/// In what they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The token or the options cannot be read in the one way that they are written.
    Unreadable,
    /// The challenge is not the token's hash.
    Challenge,
    /// Purpose, key, ceremony, origin, relying party or nonce.
    Ceremony,
    /// The person need not be asked for.
    Verification,
    /// Whose.
    Account,
    /// In which session.
    Session,
    /// Which action.
    Action,
    /// What it is done to.
    Target,
    /// What exactly.
    Parameters,
    /// What the person would have read elsewhere.
    Sentence,
}

impl Offer<'_> {
    /// Recomputes everything that the passkey would sign; anything else than what was asked for is refused.
    /// Times are left out, as at a sign-in: the server holds its own.
    pub fn check(
        &self,
        asked: &Asked,
        by: &Asker<'_>,
        read_json: impl Fn(&str) -> Option<Claims>,
    ) -> Result<(), Difference> {
        let begun = Begun {
            jkt: by.jkt,
            label: "token/step-up",
            ceremony: self.ceremony,
            origin: by.origin,
            rp_id: self.rp_id,
            challenge: self.challenge,
        };
        begun.check_by(self.unverified_token, &read_json).map_err(|why| match why {
            TokenError::NotAToken | TokenError::NotClaims => Difference::Unreadable,
            TokenError::OtherChallenge => Difference::Challenge,
            TokenError::OtherCeremony => Difference::Ceremony,
        })?;
        let token = UnverifiedToken::read_by(self.unverified_token, &read_json);
        let token = token.map_err(|_| Difference::Unreadable)?;
        let claims = token.unverified_claims();
        // Two members of one name, of which this reader saw the last, would be signed as well.
        if claims.encode().as_deref() != Ok(token.payload) {
            return Err(Difference::Unreadable);
        }
        let Purpose::StepUp(named) = &claims.purpose else { return Err(Difference::Ceremony) };
        let fits = [
            (Difference::Verification, self.user_verification == "required"),
            (Difference::Account, named.account == *by.account),
            (Difference::Session, named.session == *by.session),
            (Difference::Action, named.action == asked.kind),
            (Difference::Target, named.target == asked.target),
            (Difference::Parameters, named.parameters == hash_of(&asked.canonical)),
            (Difference::Sentence, named.locale == Locale::En && named.sentence == asked.sentence),
        ];
        fits.iter().find(|(_, fits)| !fits).map_or(Ok(()), |(difference, _)| Err(*difference))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_protocol::{
        base64url::{self, Bytes},
        ids::WalletId,
        passkeys,
        tokens::{StepUp, challenge_of},
        wallet::{Send, Usd},
    };
    use serde::Deserialize;

    fn send(amount: &str) -> Send {
        let [from, to] = [1, 2].map(|byte| WalletId::make([byte; 16]));
        let amount = Usd::parse(amount).unwrap();
        Send { from, to, to_name: "Anna".to_owned(), amount, note: None }
    }

    /// An honest answer, which each lie changes in one place.
    #[derive(Clone)]
    struct Answer {
        claims: Claims,
        step_up: StepUp,
        ceremony: CeremonyId,
        rp_id: &'static str,
        user_verification: &'static str,
        challenge: Option<[u8; 32]>,
        payload: Option<String>,
    }

    fn honest() -> Answer {
        let asked = Asked::of(&send("250.00")).unwrap();
        let step_up = StepUp {
            account: AccountId::make([1; 16]),
            session: SessionId::make([2; 16]),
            jkt: Thumbprint::from_hash(&[7; 32]),
            action: asked.kind,
            target: asked.target,
            parameters: hash_of(&asked.canonical),
            locale: Locale::En,
            sentence: asked.sentence,
        };
        let claims = Claims {
            purpose: Purpose::StepUp(Box::new(step_up.clone())),
            nonce: Bytes(vec![1; 32]),
            ceremony: CeremonyId::make([3; 16]),
            origin: "https://console.example".to_owned(),
            rp_id: "console.example".to_owned(),
            issued_at_ms: 1_000,
            expires_at_ms: 301_000,
        };
        Answer {
            ceremony: claims.ceremony.clone(),
            claims,
            step_up,
            rp_id: "console.example",
            user_verification: "required",
            challenge: None,
            payload: None,
        }
    }

    impl Answer {
        /// Signed anew, as only the server can: no browser sees that from the HMAC.
        fn check(mut self) -> Result<(), Difference> {
            if matches!(self.claims.purpose, Purpose::StepUp(_)) {
                self.claims.purpose = Purpose::StepUp(Box::new(self.step_up));
            }
            let payload = self.payload.unwrap_or_else(|| self.claims.encode().unwrap());
            let token = [&payload, ".", &base64url::encode(&[0; 32])].concat();
            let offer = Offer {
                ceremony: &self.ceremony,
                unverified_token: &token,
                challenge: &self.challenge.unwrap_or_else(|| challenge_of(&token)),
                rp_id: self.rp_id,
                user_verification: self.user_verification,
            };
            let by = Asker {
                account: &AccountId::make([1; 16]),
                session: &SessionId::make([2; 16]),
                jkt: &Thumbprint::from_hash(&[7; 32]),
                origin: "https://console.example",
            };
            // As `JSON.parse` does, of two members of one name the last is taken.
            let read = |json: &str| {
                let value: serde_json::Value = serde_json::from_str(json).ok()?;
                serde_json::from_value(value).ok()
            };
            offer.check(&Asked::of(&send("250.00")).unwrap(), &by, read)
        }
    }

    #[test]
    fn what_was_asked_for_is_prompted_for() {
        assert_eq!(honest().check(), Ok(()));
    }

    /// In what it differs, and what makes it differ.
    type Lie = (Difference, fn(&mut Answer));

    #[test]
    fn every_lie_is_seen() {
        let other = |amount: &str| Asked::of(&send(amount)).unwrap();
        let lies: [Lie; 21] = [
            (Difference::Challenge, |it| it.challenge = Some([0; 32])),
            (Difference::Verification, |it| it.user_verification = "preferred"),
            (Difference::Verification, |it| it.user_verification = ""),
            (Difference::Ceremony, |it| it.rp_id = "example"),
            (Difference::Ceremony, |it| it.claims.rp_id = "example".to_owned()),
            (Difference::Ceremony, |it| it.claims.origin = "https://console.example.evil".to_owned()),
            (Difference::Ceremony, |it| it.claims.ceremony = CeremonyId::make([4; 16])),
            (Difference::Ceremony, |it| it.ceremony = CeremonyId::make([4; 16])),
            (Difference::Ceremony, |it| it.claims.nonce = Bytes(vec![1; 31])),
            (Difference::Ceremony, |it| it.step_up.jkt = Thumbprint::from_hash(&[8; 32])),
            (Difference::Ceremony, |it| {
                it.claims.purpose = Purpose::Login { jkt: Thumbprint::from_hash(&[7; 32]) };
            }),
            (Difference::Account, |it| it.step_up.account = AccountId::make([9; 16])),
            (Difference::Session, |it| it.step_up.session = SessionId::make([9; 16])),
            (Difference::Action, |it| it.step_up.action = Kind::AgentApprove),
            (Difference::Target, |it| it.step_up.target = WalletId::make([9; 16]).as_str().to_owned()),
            (Difference::Parameters, |it| it.step_up.parameters = hash_of("{}")),
            (Difference::Parameters, |it| it.step_up.parameters.0.truncate(31)),
            (Difference::Sentence, |it| it.step_up.sentence.push(' ')),
            (Difference::Sentence, |it| it.step_up.sentence = String::new()),
            (Difference::Unreadable, |it| it.payload = Some(base64url::encode(b"{}"))),
            // The sentence twice: what was asked for comes last.
            (Difference::Unreadable, |it| {
                let json = serde_json::to_string(&it.claims).unwrap();
                let twice = json.replacen(r#""sentence":"#, r#""sentence":"Send all.","sentence":"#, 1);
                it.payload = Some(base64url::encode(twice.as_bytes()));
            }),
        ];
        for (at, (difference, lie)) in lies.into_iter().enumerate() {
            let mut answer = honest();
            lie(&mut answer);
            assert_eq!(answer.check(), Err(difference), "lie {at}");
        }
        // A token for another amount, whole and consistent in itself.
        let mut answer = honest();
        let other = other("2500.00");
        answer.step_up.parameters = hash_of(&other.canonical);
        answer.step_up.sentence = other.sentence;
        assert_eq!(answer.check(), Err(Difference::Parameters));
    }

    #[derive(Deserialize)]
    struct Vectors {
        begun: Begins,
        step_up: Wanted,
        step_ups: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Begins {
        jkt: Thumbprint,
        ceremony: CeremonyId,
        origin: String,
        rp_id: String,
    }

    #[derive(Deserialize)]
    struct Wanted {
        account: AccountId,
        session: SessionId,
        action: Kind,
        parameters: String,
    }

    #[derive(Deserialize)]
    struct Vector {
        about: String,
        token: String,
        challenge: String,
        gives: String,
    }

    /// `protocol/tests/vectors.rs` reads the whole file, and nothing that it does not know.
    #[test]
    fn the_page_finds_what_the_published_vectors_say() {
        let vectors = include_str!("../../../protocol/vectors/tokens.json");
        let Vectors { begun, step_up, step_ups } = serde_json::from_str(vectors).unwrap();
        let said = step_up.action.read(&step_up.parameters).unwrap();
        let asked = Asked {
            kind: step_up.action,
            target: said.target,
            canonical: step_up.parameters,
            sentence: said.sentence,
            signer: Signer::AnyPasskey,
        };
        let by = Asker {
            account: &step_up.account,
            session: &step_up.session,
            jkt: &begun.jkt,
            origin: &begun.origin,
        };
        let read = |json: &str| serde_json::from_str(json).ok();
        assert!(step_ups.len() > 30);
        for vector in step_ups {
            let offer = Offer {
                ceremony: &begun.ceremony,
                unverified_token: &vector.token,
                challenge: &base64url::decode(&vector.challenge).unwrap(),
                rp_id: &begun.rp_id,
                user_verification: "required",
            };
            let gives = match vector.gives.as_str() {
                "Taken" => Ok(()),
                "NotAToken" | "NotClaims" | "OtherSpelling" => Err(Difference::Unreadable),
                "OtherChallenge" => Err(Difference::Challenge),
                "OtherCeremony" => Err(Difference::Ceremony),
                "OtherAccount" => Err(Difference::Account),
                "OtherSession" => Err(Difference::Session),
                "OtherAction" => Err(Difference::Action),
                "OtherTarget" => Err(Difference::Target),
                "OtherParameters" => Err(Difference::Parameters),
                "OtherSentence" => Err(Difference::Sentence),
                other => panic!("{other}: nothing that a page finds"),
            };
            assert_eq!(offer.check(&asked, &by, read), gives, "{}", vector.about);
        }
    }

    #[test]
    fn what_nobody_could_read_is_not_asked_for() {
        let to = |to_name: String| Asked::of(&Send { to_name, ..send("250.00") });
        assert!(to("Anna Ключ ❤\u{fe0f}".to_owned()).is_some());
        let turned = "x\u{2069}\u{202e}.9f2x-m4k7 swohs hcihw ,)1111-1111-1111-1111_tga( ”reppohS";
        for name in [turned, "a\u{200b}b", "a\nb", &"x".repeat(2_048)] {
            assert_eq!(to(name.to_owned()), None, "{name:?}");
        }
    }

    #[test]
    fn an_action_says_itself_whose_signature_it_takes() {
        let id = holdfast_protocol::ids::PasskeyId::make([1; 16]);
        let test = passkeys::Test { id: id.clone(), name: "Key".to_owned() };
        let removal = passkeys::Removal { id, name: "Key".to_owned() };
        assert_eq!(Asked::of(&test).unwrap().signer, Signer::ThatPasskey);
        assert_eq!(Asked::of(&removal).unwrap().signer, Signer::AnyPasskey);
    }
}
