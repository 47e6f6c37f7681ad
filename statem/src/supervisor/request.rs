//! What is asked of a supervisor at run time.

use super::decide::Phase;
use super::error::ChildError;
use super::family::{Family, wait_with};
use super::kid::Kid;
use super::machine::Supervision;
use super::offspring::Offspring;
use super::spec::Seed;
use crate::context::Actions;
use crate::guard::Timer;
use crate::reason::ExitReason;
use crate::reply::Reply;

impl Family {
    pub(super) fn start(&mut self, mut seed: Seed, reply: Reply<(), ChildError>) {
        let outcome = if self.names.contains_key(&seed.name) {
            Err(ChildError::NameTaken)
        } else if let Some(limit) = self.limit().filter(|limit| self.kids.len() >= *limit) {
            Err(ChildError::Full { limit })
        } else {
            take_name(&mut *seed.offspring)
        };
        if outcome.is_ok() {
            self.add(seed, false);
        }
        answer(reply, outcome);
    }

    pub(super) fn terminate(
        &mut self,
        name: &str,
        reply: Reply<(), ChildError>,
        cx: &mut Actions<Supervision>,
    ) {
        let Some((id, kid)) = self.kid(name) else {
            let _ = reply.fail(ChildError::NoSuchChild);
            return;
        };
        wait_with(&mut kid.asked, reply);
        match kid.phase {
            Phase::Running => self.end(id, cx),
            Phase::Ending => {}
            Phase::Due | Phase::Waiting | Phase::Down => {
                self.put_down(id);
                self.rest(id);
            }
        }
    }

    pub(super) fn restart(&mut self, name: &str, reply: Reply<(), ChildError>) {
        let outcome = match self.kid(name) {
            None => Err(ChildError::NoSuchChild),
            Some((id, kid)) => match kid.phase {
                Phase::Running | Phase::Ending => Err(ChildError::Running),
                Phase::Due | Phase::Waiting | Phase::Down => {
                    let named = take_name(&mut *kid.offspring);
                    if named.is_ok() {
                        kid.restarts += u64::from(kid.phase == Phase::Down);
                        kid.phase = Phase::Due;
                        kid.timer = Timer::inert();
                        self.due.insert(id);
                    }
                    named
                }
            },
        };
        answer(reply, outcome);
    }

    pub(super) fn delete(&mut self, name: &str, reply: Reply<(), ChildError>) {
        let outcome = match self.kid(name) {
            None => Err(ChildError::NoSuchChild),
            Some((id, kid)) if kid.phase == Phase::Down => {
                self.forget(id);
                Ok(())
            }
            Some(_) => Err(ChildError::Running),
        };
        answer(reply, outcome);
    }

    fn kid(&mut self, name: &str) -> Option<(u64, &mut Kid)> {
        let id = *self.names.get(name)?;
        self.kids.get_mut(&id).map(|kid| (id, kid))
    }
}

/// Whoever asks for a start is told of a name that is taken. If to take it panics, that is a failure
/// of the child, when it begins.
fn take_name(offspring: &mut dyn Offspring) -> Result<(), ChildError> {
    match offspring.take_name() {
        Err(ExitReason::Other(_)) => Err(ChildError::AlreadyStarted),
        _ => Ok(()),
    }
}

fn answer(reply: Reply<(), ChildError>, outcome: Result<(), ChildError>) {
    // Who has gone does not care.
    match outcome {
        Ok(()) => drop(reply.send(())),
        Err(error) => drop(reply.fail(error)),
    }
}
