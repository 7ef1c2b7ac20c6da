//! Work for every core.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::fault::{Fault, INTERNAL};

/// How many there are.
pub fn count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does a piece of work for each place, on every core. The results are in order; the first fault ends it.
///
/// # Errors
///
/// The fault of a piece of work.
pub fn each<T: Send>(
    count: usize,
    work: &(dyn Fn(usize) -> Result<T, Fault> + Sync),
) -> Result<Vec<T>, Fault> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let share = || {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                break;
            }
            done.push((at, work(at).inspect_err(|_| failed.store(true, Ordering::Relaxed))?));
        }
        Ok(done)
    };
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..self::count().min(count)).map(|_| scope.spawn(share)).collect();
        let joined = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(INTERNAL.fault("work on several cores ended in a panic")))
        });
        joined.collect::<Result<Vec<_>, Fault>>().map(|shares| shares.into_iter().flatten().collect())
    })?;
    all.sort_unstable_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}
