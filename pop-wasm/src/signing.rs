use crate::effect::Attempt;
use holdfast_protocol::pop::{Message, Refusal, ToSign};
use std::cell::RefCell;

/// Signatures are made one at a time, since a browser may finish two in any order. What comes
/// meanwhile waits; the newest overtakes, because the server has given up on the others.
#[derive(Default)]
pub(crate) struct Signing {
    now: RefCell<Option<Job>>,
    next: RefCell<Option<Job>>,
}

/// One challenge to answer.
pub(crate) struct Job {
    pub(crate) attempt: Attempt,
    pub(crate) to_sign: ToSign,
}

impl Signing {
    /// Hands the job to `sign` if the key is free, else keeps it.
    pub(crate) fn begin(&self, job: Job, sign: impl FnOnce(&ToSign)) {
        let mut now = self.now.borrow_mut();
        if now.is_some() {
            *self.next.borrow_mut() = Some(job);
        } else {
            sign(&now.insert(job).to_sign);
        }
    }

    /// The key is free: what it worked for, and what comes next.
    pub(crate) fn finish(&self) -> (Option<Job>, Option<Job>) {
        (self.now.take(), self.next.take())
    }
}

impl Job {
    /// The message that answers: without a signature, the refusal.
    pub(crate) fn answer(&self, signature: Option<[u8; 64]>) -> Message {
        match signature {
            Some(signature) => self.to_sign.answer(signature),
            None => Message::Refuse { sequence: self.to_sign.sequence, why: Refusal::NoKey },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(sequence: u64) -> Job {
        Job { attempt: Attempt::default(), to_sign: ToSign { sequence, transcript: String::new() } }
    }

    #[test]
    fn one_at_a_time_and_the_newest_next() {
        let signing = Signing::default();
        let begun = RefCell::new(Vec::new());
        let begin = |sequence| {
            signing.begin(job(sequence), |to_sign| begun.borrow_mut().push(to_sign.sequence));
        };
        for sequence in [1, 2, 3] {
            begin(sequence);
        }
        let (done, next) = signing.finish();
        assert_eq!(done.map(|job| job.to_sign.sequence), Some(1));
        assert_eq!(next.map(|job| job.to_sign.sequence), Some(3));
        begin(4);
        assert_eq!(*begun.borrow(), [1, 4]);
    }

    #[test]
    fn without_a_signature_the_server_hears_why() {
        let refusal = Message::Refuse { sequence: 5, why: Refusal::NoKey };
        assert_eq!(job(5).answer(None), refusal);
        let answer = Message::Answer { sequence: 5, signature: [1; 64] };
        assert_eq!(job(5).answer(Some([1; 64])), answer);
    }
}
