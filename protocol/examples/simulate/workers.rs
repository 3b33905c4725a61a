use anyhow::{Result, anyhow};
use std::num::NonZero;
use std::thread;

/// What many add up to, in any order.
pub(crate) trait Sum: Default + Send {
    fn add(&mut self, other: Self);
}

/// Does `work` for every index below `count` on every core; each worker has a sum of its own, so that
/// memory does not grow with `count`.
pub(crate) fn sum<S: Sum>(count: u32, work: impl Fn(u32, &mut S) -> Result<()> + Sync) -> Result<S> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let started: Vec<_> = (0..count)
            .take(workers)
            .map(|first| {
                let work = &work;
                scope.spawn(move || {
                    let mut sum = S::default();
                    for index in (first..count).step_by(workers) {
                        work(index, &mut sum)?;
                    }
                    Ok::<S, anyhow::Error>(sum)
                })
            })
            .collect();
        let mut whole = S::default();
        for worker in started {
            whole.add(worker.join().map_err(|_| anyhow!("a worker has died; its words are above"))??);
        }
        Ok(whole)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Sum for u32 {
        fn add(&mut self, other: Self) {
            *self += other;
        }
    }

    #[test]
    fn every_index_is_done_once() {
        let add = |index: u32, sum: &mut u32| {
            *sum += index;
            Ok(())
        };
        assert_eq!([0, 1, 101].map(|count| sum(count, add).unwrap()), [0, 0, 5_050]);
        let refuse = |index: u32, _: &mut u32| if index == 70 { Err(anyhow!("no")) } else { Ok(()) };
        assert!(sum(100, refuse).is_err());
    }
}
