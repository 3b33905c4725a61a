//! What stays of a try, whatever comes of it.

use super::{Attempt, store};
use crate::{
    access::refuse,
    audit,
    db::Tx,
    problem::{Refusal, Result},
    webauthn::{self, store::Stored},
};
use holdfast_protocol::{
    history::Activity,
    ids::CeremonyId,
    problem::Code,
    step_up::{Action, Evidence, Kind, Locale, Outcome, canonical_text, is_legible},
};
use serde_json::Value;

/// A try to do something: what its event says, and what of it outlives its transaction.
pub(super) struct Trace {
    pub action: Kind,
    /// The parameters in their one spelling.
    pub canonical: String,
    pub sentence: String,
    /// What becomes of it, if it is refused now.
    pub outcome: Outcome,
    /// The step-up that is used up, if it is refused now.
    pub spends: Option<CeremonyId>,
    /// A passkey that counted backwards, which is a signal even when nothing comes of the try.
    pub suspect: Option<Stored>,
}

impl Trace {
    /// Refuses parameters that have no exact spelling, and a sentence that nobody could read: it is kept
    /// and shown, even of what is refused.
    pub(super) fn of<A: Action>(parameters: &A) -> Result<Self> {
        let inexact = || refuse(Code::InvalidRequest, "parameters without an exact spelling");
        let canonical = canonical_text(parameters).filter(|canonical| says_all(canonical, parameters));
        let sentence = parameters.sentence(Locale::En);
        if !is_legible(&sentence) {
            return Err(Refusal::with_detail(
                Code::InvalidRequest,
                "What would have to be confirmed is too long, or has invisible characters. Nothing was done.",
            ));
        }
        Ok(Self {
            action: A::KIND,
            canonical: canonical.ok_or_else(inexact)?,
            sentence,
            outcome: Outcome::Denied,
            spends: None,
            suspect: None,
        })
    }

    /// Ends the transaction of the try, which has [set out](store::set_out): it lasts, or nothing of it does
    /// but what is kept of a refusal.
    pub(super) async fn conclude<T>(
        self,
        by: Attempt<'_>,
        mut tx: Tx,
        tried: Result<(T, Done)>,
    ) -> Result<T> {
        match tried {
            Ok((answer, Done { outcome, evidence })) => {
                self.mark_suspect(&mut tx, by).await?;
                let event = by.event(self.activity(outcome, None));
                match evidence {
                    Some(evidence) => audit::record_with(&mut tx, event, &evidence).await?,
                    None => audit::record(&mut tx, event).await?,
                }
                tx.commit(&by.app.live).await?;
                Ok(answer)
            }
            // Nobody has refused anything: the same again, with the same confirmation, may succeed.
            Err(refusal) if refusal.is_own_fault() => Err(refusal),
            Err(refusal) => {
                // In one transaction with the refusal: whoever repeats the request meanwhile waits for it.
                store::turn_back(&mut tx).await?;
                self.keep(&mut tx, by, &refusal).await?;
                tx.commit(&by.app.live).await?;
                Err(refusal)
            }
        }
    }

    /// Keeps what a refused try leaves behind.
    async fn keep(&self, tx: &mut Tx, by: Attempt<'_>, refusal: &Refusal) -> Result<()> {
        if let Some(ceremony) = &self.spends {
            store::take(tx, ceremony, &by.session.id).await?;
        }
        self.mark_suspect(tx, by).await?;
        let what = self.activity(self.outcome, Some(refusal.code()));
        Ok(audit::record_once(tx, by.event(what)).await?)
    }

    async fn mark_suspect(&self, tx: &mut Tx, by: Attempt<'_>) -> Result<()> {
        let Some(passkey) = &self.suspect else { return Ok(()) };
        webauthn::store::suspect(tx, passkey, by.now_ms).await?;
        let what = Activity::PasskeySuspect { passkey: passkey.id()?, name: passkey.name.clone() };
        Ok(audit::record(tx, by.event(what)).await?)
    }

    fn activity(&self, outcome: Outcome, code: Option<Code>) -> Activity {
        let (action, sentence) = (self.action, self.sentence.clone());
        Activity::StepUp { action, outcome, sentence, code: code.map(|code| code.as_str().to_owned()) }
    }
}

/// What became of a try that was not refused.
pub(super) struct Done {
    pub outcome: Outcome,
    pub evidence: Option<Evidence>,
}

/// RFC 8785 writes numbers as doubles: from 2^53 on two of them would share a spelling, and one that was
/// signed would stand for another.
fn says_all(canonical: &str, parameters: &impl serde::Serialize) -> bool {
    let (said, meant) = (serde_json::from_str::<Value>(canonical), serde_json::to_value(parameters));
    matches!((said, meant), (Ok(said), Ok(meant)) if said == meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_shares_its_spelling_has_none() {
        let exact = |value: Value| says_all(&canonical_text(&value).unwrap(), &value);
        assert!(exact(serde_json::json!({ "cents": 9_007_199_254_740_992_u64, "name": "x" })));
        assert!(!exact(serde_json::json!({ "cents": 9_007_199_254_740_993_u64, "name": "x" })));
        assert!(!exact(serde_json::json!({ "cents": 1.0 })));
    }
}
