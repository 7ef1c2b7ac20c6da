//! Work for every core.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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
/// The things are asked for one by one, and none before its turn is near: where one takes long, or whoever takes the results
/// does, the others wait. So what piles up is bounded, however many things there are.
///
/// # Errors
///
/// The fault of whoever comes first: the things, the work, or who takes its results.
pub fn stream<I: Send, T: Send>(
    things: impl Iterator<Item = Result<I, Fault>> + Send,
    work: &(dyn Fn(I) -> Result<T, Fault> + Sync),
    take: &mut dyn FnMut(T) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (things, window) = (Mutex::new(things.enumerate()), Window::new(AHEAD * count()));
    let begin = || -> Result<bool, Fault> {
        let next = things.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some((at, thing)) = next else { return Ok(false) };
        window.put(at, work(thing?)?);
        Ok(true)
    };
    let share = || {
        let _leaving = Leaving(&window);
        while window.may_begin() && begin()? {}
        Ok(())
    };
    let mut own = || {
        let _leaving = Leaving(&window);
        loop {
            match window.step() {
                Step::Take(result) => take(result)?,
                Step::Begin if begin()? => {}
                Step::Begin | Step::Leave => return Ok(()),
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..count()).map(|_| scope.spawn(share)).collect();
        let own = own();
        let others = threads.into_iter().map(joined);
        std::iter::once(own).chain(others).collect::<Result<Vec<()>, Fault>>()
    })?;
    while let Step::Take(result) = window.step() {
        take(result)?;
    }
    Ok(())
}

/// So many things for each core may be begun before the result is taken that is due.
const AHEAD: usize = 16;

/// Results that wait for their turn, and how much may be begun before it.
struct Window<T> {
    state: Mutex<State<T>>,
    moved: Condvar,
    ahead: usize,
}

struct State<T> {
    done: BTreeMap<usize, T>,
    begun: usize,
    /// The place of the result that is taken next.
    due: usize,
    /// How many threads wait: to wake nobody costs a system call, too.
    waiting: usize,
    /// Whether nothing more is begun: there is no more, or somebody failed.
    is_over: bool,
}

/// What the thread that takes the results does next.
enum Step<T> {
    Take(T),
    Begin,
    Leave,
}

impl<T> Window<T> {
    const fn new(ahead: usize) -> Self {
        let state = State { done: BTreeMap::new(), begun: 0, due: 0, waiting: 0, is_over: false };
        Self { state: Mutex::new(state), moved: Condvar::new(), ahead }
    }

    fn put(&self, at: usize, result: T) {
        let mut state = self.state();
        state.done.insert(at, result);
        self.wake(&state);
    }

    /// Waits until one more thing may be begun; `false` once none is.
    fn may_begin(&self) -> bool {
        let mut state = self.state();
        while !state.is_over && state.begun == state.due + self.ahead {
            state = self.wait(state);
        }
        state.begun += 1;
        !state.is_over
    }

    /// Takes what is due before it begins anything. It waits only for a thing that another thread works on.
    fn step(&self) -> Step<T> {
        let mut state = self.state();
        loop {
            let due = state.due;
            if let Some(result) = state.done.remove(&due) {
                state.due += 1;
                self.wake(&state);
                return Step::Take(result);
            }
            if state.is_over {
                return Step::Leave;
            }
            if state.begun < state.due + self.ahead {
                state.begun += 1;
                return Step::Begin;
            }
            state = self.wait(state);
        }
    }

    fn wait<'w>(&self, mut state: MutexGuard<'w, State<T>>) -> MutexGuard<'w, State<T>> {
        state.waiting += 1;
        let mut state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state
    }

    fn wake(&self, state: &State<T>) {
        if state.waiting > 0 {
            self.moved.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread leaves when there is no more, when it failed, and when it panicked: the others begin nothing then, and none waits.
struct Leaving<'a, T>(&'a Window<T>);

impl<T> Drop for Leaving<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_over = true;
        self.0.wake(&state);
    }
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
    use std::panic::catch_unwind;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

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

    /// How many of a hundred thousand things were asked for while the first was worked on, or taken, for a while.
    fn asked_meanwhile(is_slow_to_work: bool) -> usize {
        let (asked, meanwhile) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let things = (0..100_000).map(|at| {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok(at)
        });
        let slow = |at: usize| {
            if at == 0 {
                std::thread::sleep(Duration::from_millis(50));
                meanwhile.store(asked.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        };
        let work = |at| {
            if is_slow_to_work {
                slow(at);
            }
            Ok(at)
        };
        let mut due = 0..;
        let mut take = |at| {
            assert_eq!(due.next(), Some(at));
            if !is_slow_to_work {
                slow(at);
            }
            Ok(())
        };
        stream(things, &work, &mut take).unwrap();
        assert_eq!(due.next(), Some(100_000));
        meanwhile.into_inner()
    }

    #[test]
    fn nothing_runs_far_ahead_of_what_is_due() {
        for is_slow_to_work in [true, false] {
            let asked = asked_meanwhile(is_slow_to_work);
            assert!(asked <= AHEAD * count() + 1, "{asked} while the first one is slow");
        }
    }

    #[test]
    fn a_panic_ends_a_stream() {
        let work = |at| if at == 500 { panic!("on purpose") } else { Ok(at) };
        let streamed = || stream((0..100_000).map(Ok), &work, &mut |_| Ok(()));
        assert!(!matches!(catch_unwind(streamed), Ok(Ok(()))));
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
