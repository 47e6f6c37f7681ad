//! The rules beside a model of them: OTP's `supervisor` written down in its own shape, over lists.

use super::*;

/// OTP's `add_restart/3`: all restarts, and those of the period are counted each time.
struct CountedAnew {
    all: Vec<Duration>,
    intensity: usize,
    period: Duration,
}

impl CountedAnew {
    fn count(&mut self, now: Duration) -> bool {
        self.all.push(now);
        let counts = |at: &&Duration| **at + self.period >= now;
        self.all.iter().filter(counts).count() <= self.intensity
    }
}

#[test]
fn the_period_slides_and_the_intensity_trips_exactly() {
    for seed in 0..2_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (intensity, period) = (random.u32(0..6), Duration::from_millis(random.u64(0..50)));
        let mut restarts = Restarts::new(intensity, period);
        let mut model = CountedAnew {
            all: Vec::new(),
            intensity: intensity as usize,
            period,
        };
        let mut now = Duration::ZERO;
        for _ in 0..60 {
            now += Duration::from_millis(random.u64(0..20));
            assert_eq!(restarts.count(now), model.count(now), "seed {seed}");
            if restarts.recent.len() > intensity as usize + 1 {
                // A supervisor that may not restart any more ends, and counts no further.
                break;
            }
        }
    }
}

#[test]
fn one_restart_more_than_the_intensity_is_too_many_and_one_that_is_old_enough_does_not_count() {
    let second = Duration::from_secs;
    let mut restarts = Restarts::new(2, second(5));
    assert!(restarts.count(second(10)));
    assert!(restarts.count(second(12)));
    assert!(!restarts.count(second(15)), "the first one still counts");

    let mut restarts = Restarts::new(2, second(5));
    assert!(restarts.count(second(10)));
    assert!(restarts.count(second(12)));
    assert!(restarts.count(second(15) + Duration::from_nanos(1)));

    assert!(!Restarts::new(0, second(5)).count(second(0)));
}

/// OTP's `terminate_children` and `start_children`, child by child.
fn by_hand(strategy: Strategy, members: &[Member], failed: u64) -> Group {
    let mut group = Group::default();
    let mut reached = false;
    for member in members {
        reached |= member.id == failed;
        let belongs = match strategy {
            Strategy::OneForOne | Strategy::Dynamic => member.id == failed,
            Strategy::OneForAll => true,
            Strategy::RestForOne => reached,
        };
        if belongs && member.id != failed {
            if let Phase::Running | Phase::Ending = member.phase {
                group.end.insert(0, member.id);
            }
        }
        if belongs && member.restart != Restart::Temporary {
            group.start.push(member.id);
        }
    }
    group
}

#[test]
fn who_is_restarted_together_is_as_in_otp() {
    let restarts = [Restart::Permanent, Restart::Transient, Restart::Temporary];
    let phases = [
        Phase::Due,
        Phase::Waiting,
        Phase::Running,
        Phase::Ending,
        Phase::Down,
    ];
    let strategies = [
        Strategy::OneForOne,
        Strategy::OneForAll,
        Strategy::RestForOne,
        Strategy::Dynamic,
    ];
    let mut seen = [0; 4];
    for seed in 0..20_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut id = 0;
        let mut members: Vec<Member> = (0..random.usize(1..8))
            .map(|_| {
                id += random.u64(1..4);
                Member {
                    id,
                    restart: restarts[random.usize(0..3)],
                    phase: phases[random.usize(0..5)],
                }
            })
            .collect();
        let place = random.usize(0..members.len());
        members[place].phase = Phase::Down;
        let failed = members[place];
        let strategy = strategies[random.usize(0..4)];
        let is_normal = random.bool();
        let intensity = random.u32(0..2);
        let mut counted = Restarts::new(intensity, Duration::from_secs(1));
        let now = Duration::from_secs(random.u64(0..9));
        let verdict = after_end(strategy, &members, failed.id, is_normal, &mut counted, now);
        let expected = match (failed.restart, is_normal, intensity) {
            (Restart::Temporary, ..) => Verdict::Forget,
            // As OTP's simple_one_for_one.
            (Restart::Transient, true, _) if strategy == Strategy::Dynamic => Verdict::Forget,
            (Restart::Transient, true, _) => Verdict::Rest,
            (_, _, 0) => Verdict::GiveUp,
            _ => Verdict::Restart(by_hand(strategy, &members, failed.id)),
        };
        assert_eq!(verdict, expected, "seed {seed}: {members:?}");
        // Only what is restarted, or would be, is counted.
        let counts = matches!(verdict, Verdict::Restart(_) | Verdict::GiveUp);
        assert_eq!(counted.counted(), usize::from(counts));
        seen[match verdict {
            Verdict::Rest => 0,
            Verdict::Forget => 1,
            Verdict::Restart(_) => 2,
            Verdict::GiveUp => 3,
        }] += 1;
    }
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
}

#[test]
fn a_child_that_nobody_knows_changes_nothing() {
    let mut restarts = Restarts::new(0, Duration::ZERO);
    let verdict = after_end(
        Strategy::OneForAll,
        &[],
        1,
        false,
        &mut restarts,
        Duration::ZERO,
    );
    assert_eq!(verdict, Verdict::Rest);
}
