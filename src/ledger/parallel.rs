//! Checking seals with all cores: in batches, in order, in constant memory.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::base::fault::Fault;

use super::seal;

/// A batch is handed over at this many bytes.
pub(super) const BATCH_BYTES: usize = 128 * 1024;
const THREADS_MAX: usize = 32;

/// A seal that is still to be checked.
pub(super) struct Sealed {
    pub(super) key: [u8; 32],
    pub(super) seal: [u8; 64],
    pub(super) message: Vec<u8>,
}

/// Does a piece of work that hands seals over on its way. `None` when it failed, or one of the seals is wrong.
pub(super) fn check<T>(work: impl FnOnce(&mut dyn FnMut(Vec<Sealed>)) -> Result<T, Fault>) -> Option<T> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let (sender, receiver) = sync_channel(2 * threads);
    let (receiver, is_wrong) = (Mutex::new(receiver), AtomicBool::new(false));
    let done = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work_off(&receiver, &is_wrong));
        }
        let done = work(&mut |batch| {
            // Nobody listens only when a thread of ours panicked, and the scope passes that on.
            let _ = sender.send(batch);
        });
        drop(sender);
        done
    });
    done.ok().filter(|_| !is_wrong.load(Ordering::Relaxed))
}

fn work_off(receiver: &Mutex<Receiver<Vec<Sealed>>>, is_wrong: &AtomicBool) {
    loop {
        let batch = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(batch) = batch else { return };
        if !batch.iter().all(|it| seal::is_good(&it.key, &it.message, &it.seal)) {
            is_wrong.store(true, Ordering::Relaxed);
        }
    }
}
