//! Work for every core.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::ScopedJoinHandle;

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
    let tell = |say: &mut dyn FnMut(())| {
        (0..count).for_each(|_| say(()));
        Ok(())
    };
    follow(tell, &|at, ()| work(at)).map(|((), results)| results)
}

/// Does a piece of work for each thing that is told of: on the other cores while there is more to tell, and on every core
/// once there is not. A piece of work gets the place of what was told, and that. The results are in order; the first fault
/// ends it.
///
/// # Errors
///
/// The fault of the telling, or else that of a piece of work.
pub fn follow<I: Send, T: Send, R>(
    tell: impl FnOnce(&mut dyn FnMut(I)) -> Result<R, Fault>,
    work: &(dyn Fn(usize, I) -> Result<T, Fault> + Sync),
) -> Result<(R, Vec<T>), Fault> {
    let (sender, receiver) = channel();
    let (receiver, has_failed) = (Mutex::new(receiver), AtomicBool::new(false));
    let share = || {
        let mut done = Vec::new();
        while let Some((at, item)) = next(&receiver).filter(|_| !has_failed.load(Ordering::Relaxed)) {
            done.push((at, work(at, item).inspect_err(|_| has_failed.store(true, Ordering::Relaxed))?));
        }
        Ok(done)
    };
    let (told, shares) = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..count()).map(|_| scope.spawn(share)).collect();
        let mut places = 0..;
        // Somebody listens as long as the receiver stands, which is longer than this.
        let told = tell(&mut |item| drop(places.next().map(|at| sender.send((at, item)))));
        let told = told.inspect_err(|_| has_failed.store(true, Ordering::Relaxed));
        drop(sender);
        let own = std::iter::once(share());
        let others = threads.into_iter().map(joined);
        (told, own.chain(others).collect::<Result<Vec<_>, Fault>>())
    });
    let told = told?;
    let mut all: Vec<(usize, T)> = shares?.into_iter().flatten().collect();
    all.sort_unstable_by_key(|(at, _)| *at);
    Ok((told, all.into_iter().map(|(_, result)| result).collect()))
}

/// Does a piece of work for each thing, on every core, and hands the results on in the order of the things, on this thread.
/// The things are asked for one by one, and nothing piles up but what is done before something that comes earlier.
///
/// # Errors
///
/// The fault of whoever comes first: the things, the work, or who takes its results.
pub fn stream<I: Send, T: Send>(
    things: impl Iterator<Item = Result<I, Fault>> + Send,
    work: &(dyn Fn(I) -> Result<T, Fault> + Sync),
    take: &mut dyn FnMut(T) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (things, done) = (Mutex::new(things.enumerate()), Mutex::new(BTreeMap::new()));
    let has_failed = AtomicBool::new(false);
    let share = |after: &mut dyn FnMut() -> Result<(), Fault>| {
        let next = || things.lock().unwrap_or_else(PoisonError::into_inner).next();
        let mut go_on = || {
            while let Some((at, thing)) = next().filter(|_| !has_failed.load(Ordering::Relaxed)) {
                let result = work(thing?)?;
                done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, result);
                after()?;
            }
            Ok(())
        };
        go_on().inspect_err(|_: &Fault| has_failed.store(true, Ordering::Relaxed))
    };
    let mut due = 0;
    let mut hand_on = || {
        let next = |due| done.lock().unwrap_or_else(PoisonError::into_inner).remove(&due);
        while let Some(result) = next(due) {
            take(result)?;
            due += 1;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..count()).map(|_| scope.spawn(|| share(&mut || Ok(())))).collect();
        let own = share(&mut hand_on);
        let others = threads.into_iter().map(joined);
        std::iter::once(own).chain(others).collect::<Result<Vec<()>, Fault>>()
    })?;
    hand_on()
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, Fault>>) -> Result<T, Fault> {
    thread.join().unwrap_or_else(|_| Err(INTERNAL.fault("work on several cores ended in a panic")))
}

/// The next thing to work on; waits for it, and knows when there is none.
fn next<I>(receiver: &Mutex<Receiver<I>>) -> Option<I> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_telling() {
        let told = follow(
            |say| {
                (0..1_000).for_each(say);
                Ok("told")
            },
            &|at, item: usize| Ok((at, 2 * item)),
        );
        let expected: Vec<_> = (0..1_000).map(|at| (at, 2 * at)).collect();
        assert_eq!(told.unwrap(), ("told", expected));
        assert_eq!(each(3, &Ok).unwrap(), [0, 1, 2]);
        assert!(each::<usize>(0, &Ok).unwrap().is_empty());
    }

    #[test]
    fn a_stream_comes_out_in_its_order_and_ends_at_the_first_fault() {
        let mut taken = Vec::new();
        let mut take = |result: usize| {
            taken.push(result);
            Ok(())
        };
        stream((0..1_000).map(Ok), &|number: usize| Ok(2 * number), &mut take).unwrap();
        assert_eq!(taken, (0..1_000).map(|number| 2 * number).collect::<Vec<_>>());
        let fault = || INTERNAL.fault("no");
        let upto = |end: usize| (0..9).map(move |at| if at < end { Ok(at) } else { Err(fault()) });
        let mut nothing = |_| Ok(());
        assert_eq!(stream(upto(5), &Ok, &mut nothing).unwrap_err().message(), "no");
        let work = |at| if at < 5 { Ok(at) } else { Err(fault()) };
        assert_eq!(stream(upto(9), &work, &mut nothing).unwrap_err().message(), "no");
        assert_eq!(stream(upto(9), &Ok, &mut |_| Err(fault())).unwrap_err().message(), "no");
    }

    #[test]
    fn a_fault_of_the_telling_comes_before_one_of_the_work_and_both_end_it() {
        let fails = |_: usize, (): ()| -> Result<(), Fault> { Err(INTERNAL.fault("work")) };
        let tell = |outcome: Result<(), Fault>| {
            move |say: &mut dyn FnMut(())| {
                (0..10).for_each(|_| say(()));
                outcome
            }
        };
        assert_eq!(follow(tell(Ok(())), &fails).unwrap_err().message(), "work");
        let told = follow(tell(Err(INTERNAL.fault("telling"))), &fails);
        assert_eq!(told.unwrap_err().message(), "telling");
    }
}
