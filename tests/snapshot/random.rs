//! Machines that do anything, written down and restored at any time: they go on as if nothing had
//! happened, but for what N74 leaves out.

use statem::testing::Bench;

use crate::scribe::*;

const MACHINES: u64 = 400;
const STEPS: u32 = 60;

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn name(&mut self) -> Name {
        if self.below(2) == 0 { Name::G } else { Name::H }
    }

    fn ask(&mut self, depth: u32) -> Ask {
        let word = format!("w{}", self.below(1000));
        match self.below(11) {
            0 | 1 => Ask::State(self.below(9), word),
            2 | 3 => Ask::Named(self.name(), self.below(9), word),
            4 => Ask::Never(self.name(), word),
            5 => Ask::Update(self.name(), word),
            6 => Ask::UpdateState(word),
            7 if self.below(2) == 0 => Ask::Cancel(self.name()),
            7 => Ask::CancelState,
            8 if depth > 0 => Ask::Insert(Box::new(self.event(depth - 1))),
            9 => Ask::DropTimer(self.below(4)),
            _ => Ask::Timer(self.below(4), 1 + self.below(9), Box::new(self.event(0))),
        }
    }

    fn event(&mut self, depth: u32) -> Event {
        let asks = (0..self.below(3)).map(|_| self.ask(depth)).collect();
        // Events that go on by themselves are not postponed, or a chain would never end (R26).
        let then = match self.below(if depth > 0 { 12 } else { 6 }) {
            0..3 => Then::Keep,
            3..6 => Then::NotOpen,
            6 => Then::Retry,
            7 => Then::Repeat,
            8 | 9 => Then::Open,
            _ => Then::Shut,
        };
        Event::Do(format!("e{}", self.below(1000)), asks, then)
    }
}

/// What was called, without the numbers of timers, and without the enter call of a restored machine.
fn called(bench: &mut Bench<Scribe>, numbers: &mut Numbers, restored: &mut u32) -> Vec<String> {
    let mut words = std::mem::take(&mut bench.data_mut().trace);
    for word in &mut words {
        if let Some((before, _)) = word.split_once("@Timer(") {
            *word = format!("{before}@Timer");
        }
    }
    if numbers.below(3) == 0 {
        *bench = Bench::restore(read(&write(bench)));
        assert_eq!(std::mem::take(&mut bench.data_mut().trace).len(), 1);
        *restored += 1;
    }
    words
}

/// Everything to compare: the words, and what remains.
fn seen(bench: &Bench<Scribe>) -> Vec<String> {
    let postponed = bench.postponed().map(|event| event.word().to_owned());
    let timeouts = bench.snapshot(|saving| {
        let timeouts = saving.saved.timeouts.iter();
        let told =
            timeouts.map(|timeout| format!("{}:{:?}", timeout.event.word(), timeout.remaining));
        told.collect::<Vec<_>>()
    });
    let state = bench.state_name().to_owned();
    std::iter::once(state)
        .chain(postponed)
        .chain(timeouts)
        .collect()
}

#[test]
fn n75_a_machine_restored_at_any_time_goes_on_as_one_that_was_never_saved() {
    let (mut restored, mut timeouts, mut postponed) = (0, 0, 0);
    for seed in 0..MACHINES {
        let mut script = Numbers(seed);
        let mut when = Numbers(seed ^ 0xffff);
        let (mut unbroken, mut broken) = (bench(), bench());
        for step in 0..STEPS {
            if script.below(3) == 0 {
                let by = ms(script.below(6));
                unbroken.advance(by);
                broken.advance(by);
            } else {
                let event = script.event(2);
                unbroken.send(event.clone());
                broken.send(event);
            }
            let expected = called(&mut unbroken, &mut Numbers(1), &mut 0);
            assert_eq!(
                called(&mut broken, &mut when, &mut restored),
                expected,
                "machine {seed}, step {step}"
            );
            assert_eq!(
                seen(&broken),
                seen(&unbroken),
                "machine {seed}, step {step}"
            );
            timeouts += unbroken.timeouts().len();
            postponed += unbroken.postponed().count();
        }
    }
    assert!(
        restored > 1000 && timeouts > 1000 && postponed > 1000,
        "{restored} {timeouts} {postponed}"
    );
}
