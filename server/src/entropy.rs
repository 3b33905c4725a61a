//! The one source of randomness: the system's, or a test's.

use holdfast_protocol::base64url;
use std::sync::{Arc, Mutex, PoisonError};

/// Where random bits come from. Cheap to clone.
#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    System,
    Counted(Arc<Mutex<u64>>),
}

impl Entropy {
    /// The system's.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The same sequence each time, for tests: SHA-256 of a seed and a count.
    pub fn counted(seed: u64) -> Self {
        Self(Source::Counted(Arc::new(Mutex::new(seed << 32))))
    }

    /// `N` random bytes.
    ///
    /// The system that has no random bits to give can keep no secret: the process ends.
    pub fn make<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => {
                if getrandom::fill(&mut bytes).is_err() {
                    tracing::error!("the system gives no random bits; ending");
                    std::process::abort();
                }
            }
            Source::Counted(count) => {
                for chunk in bytes.chunks_mut(32) {
                    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
                    *count += 1;
                    let block = crate::secrets::sha256(&count.to_be_bytes());
                    chunk.copy_from_slice(block.get(..chunk.len()).unwrap_or_default());
                }
            }
        }
        bytes
    }

    /// 256 random bits as 43 characters.
    pub fn make_text(&self) -> String {
        base64url::encode(&self.make::<32>())
    }
}
