/// What waits until the connection is proven, in order; at most 64 KiB.
#[derive(Debug)]
pub(crate) struct Quarantine<T> {
    waiting: Vec<Option<T>>,
    gone: usize,
    bytes: usize,
}

/// More would wait than is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

const LIMIT: usize = 64 * 1024;
/// So that empty messages count, too.
const OVERHEAD: usize = 16;

impl<T> Quarantine<T> {
    pub(crate) const fn new() -> Self {
        Self { waiting: Vec::new(), gone: 0, bytes: 0 }
    }

    /// Keeps one of so many bytes back.
    pub(crate) fn hold(&mut self, item: T, bytes: usize) -> Result<(), Full> {
        let bytes = self.bytes.saturating_add(bytes).saturating_add(OVERHEAD);
        if bytes > LIMIT {
            return Err(Full);
        }
        self.bytes = bytes;
        self.waiting.push(Some(item));
        Ok(())
    }

    /// How much waits.
    #[cfg(feature = "js")]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The oldest.
    pub(crate) fn next(&mut self) -> Option<T> {
        let next = self.waiting.get_mut(self.gone).and_then(Option::take);
        self.gone += 1;
        if self.gone >= self.waiting.len() {
            self.clear();
        }
        next
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.gone = 0;
        self.bytes = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_bounds() {
        let mut held = Quarantine::new();
        assert_eq!(held.hold(1, 32_000), Ok(()));
        assert_eq!(held.hold(2, 32_000), Ok(()));
        assert_eq!(held.hold(3, 32_000), Err(Full));
        assert_eq!([held.next(), held.next(), held.next()], [Some(1), Some(2), None]);
        assert_eq!(held.hold(4, 64_000), Ok(()));
        held.clear();
        assert!(held.is_empty());
        assert_eq!((0..9_000).find(|at| held.hold(*at, 0).is_err()), Some(4096));
    }
}
