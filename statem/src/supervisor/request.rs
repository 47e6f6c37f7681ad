//! What is asked of a supervisor at run time.

use super::decide::Phase;
use super::error::ChildError;
use super::family::Family;
use super::kid::Kid;
use super::machine::Supervision;
use super::spec::Seed;
use crate::context::Actions;
use crate::guard::Timer;
use crate::reply::Reply;

impl Family {
    pub(super) fn start(&mut self, seed: Seed, reply: Reply<(), ChildError>) {
        if self.names.contains_key(&seed.name) {
            let _ = reply.fail(ChildError::NameTaken);
        } else {
            self.add(seed, false);
            let _ = reply.send(());
        }
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
        kid.asked.push(reply);
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
                    kid.restarts += u64::from(kid.phase == Phase::Down);
                    kid.phase = Phase::Due;
                    kid.timer = Timer::inert();
                    self.due.insert(id);
                    Ok(())
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

fn answer(reply: Reply<(), ChildError>, outcome: Result<(), ChildError>) {
    // Who has gone does not care.
    match outcome {
        Ok(()) => drop(reply.send(())),
        Err(error) => drop(reply.fail(error)),
    }
}
