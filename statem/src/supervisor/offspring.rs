//! A child without the type of its machine.

use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use super::machine::Supervision;
use super::spec::{MakeBuilder, Register, Start};
use super::tree::{Tree, WeakTree};
use crate::driver::{Builder, Handle, Lives, Queue};
use crate::handler::Handler;
use crate::reason::{ExitReason, message};
use crate::watch::Status;

pub(super) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a supervisor does with a child.
pub(super) trait Offspring: Send {
    /// Takes its name in a registry, if it is to have one and has not.
    fn take_name(&mut self) -> Result<(), ExitReason> {
        Ok(())
    }
    /// Its next life, in a task of its own; the future owns it.
    fn begin(&mut self) -> Pending<ExitReason>;
    /// It will be begun again.
    fn restart(&mut self);
    /// It will not, unless somebody asks for it.
    fn end(&mut self);
    fn shut_down(&self);
    fn kill(&self);
    /// Is over when the life that was begun last is ready.
    fn ready(&self) -> Pending<()>;
    fn machine(&self) -> &'static str;
    fn status(&self) -> Status;
    /// How many messages wait for it.
    fn queue(&self) -> usize;
    /// The child as a supervisor.
    fn tree(&self) -> Option<Tree> {
        None
    }
}

/// A child of any machine.
pub(super) struct Worker<M: Handler> {
    lives: Lives<M>,
    builder: MakeBuilder<M>,
    start: Start<M>,
    ready_in: Option<&'static [&'static str]>,
    register: Option<Register<M>>,
}

impl<M: Handler> Worker<M> {
    pub(super) fn new(
        first: &Builder<M>,
        queue: Queue,
        builder: MakeBuilder<M>,
        start: Start<M>,
    ) -> Self {
        Worker {
            lives: Lives::new(first, queue),
            builder,
            start,
            ready_in: None,
            register: None,
        }
    }

    pub(super) fn ready_in(mut self, states: Option<&'static [&'static str]>) -> Self {
        self.ready_in = states;
        self
    }

    pub(super) fn registered(mut self, register: Option<Register<M>>) -> Self {
        self.register = register;
        self
    }

    pub(super) fn handle(&self) -> Handle<M> {
        self.lives.handle()
    }
}

impl<M> Offspring for Worker<M>
where
    M: Handler + Send + 'static,
    M::Event: Send,
    M::Data: Send,
{
    fn take_name(&mut self) -> Result<(), ExitReason> {
        let Some(register) = &mut self.register else {
            return Ok(());
        };
        if !self.lives.has_name() {
            let handle = self.lives.handle();
            let name = guarded(|| register(&handle))??;
            self.lives.set_name(name);
        }
        Ok(())
    }

    fn begin(&mut self) -> Pending<ExitReason> {
        self.lives.restart();
        let made = self
            .take_name()
            .and_then(|()| guarded(|| ((self.builder)(), (self.start)())));
        match made {
            Ok((builder, (state, data))) => {
                Box::pin(self.lives.begin_in(builder, state, data).spawned())
            }
            Err(reason) => {
                self.lives.start_failed(reason.clone());
                Box::pin(ready(reason))
            }
        }
    }

    fn restart(&mut self) {
        self.lives.restart();
    }

    fn end(&mut self) {
        self.lives.end();
    }

    fn shut_down(&self) {
        self.lives.shut_down();
    }

    fn kill(&self) {
        self.lives.kill();
    }

    fn ready(&self) -> Pending<()> {
        let states = self.ready_in;
        Box::pin(
            self.lives
                .next_in(move |name| states.is_none_or(|states| states.contains(&name))),
        )
    }

    fn machine(&self) -> &'static str {
        M::GRAPH.name
    }

    fn status(&self) -> Status {
        self.lives.status()
    }

    fn queue(&self) -> usize {
        self.lives.queue()
    }
}

/// Runs what a user wants run for a start: a panic in it is a failure of the child.
fn guarded<T>(of_a_start: impl FnOnce() -> T) -> Result<T, ExitReason> {
    catch_unwind(AssertUnwindSafe(of_a_start)).map_err(|payload| {
        let reason = ExitReason::Panicked {
            message: message(&*payload),
            callback: "the start of a child",
            state: "",
        };
        // Its drop may panic too.
        std::mem::forget(payload);
        reason
    })
}

/// A child that is a supervisor.
pub(super) struct Nested {
    pub(super) worker: Worker<Supervision>,
    pub(super) tree: WeakTree,
}

impl Offspring for Nested {
    fn begin(&mut self) -> Pending<ExitReason> {
        self.worker.begin()
    }

    fn restart(&mut self) {
        self.worker.restart();
    }

    fn end(&mut self) {
        self.worker.end();
    }

    fn shut_down(&self) {
        self.worker.shut_down();
    }

    fn kill(&self) {
        self.worker.kill();
    }

    /// When all below it is.
    fn ready(&self) -> Pending<()> {
        let runs = self.worker.ready();
        let tree = self.tree.clone();
        Box::pin(async move {
            runs.await;
            let Some(tree) = tree.upgrade() else { return };
            if tree.own_ready().await.is_err() {
                // Its end is told otherwise, and this goes with its life.
                pending::<()>().await;
            }
        })
    }

    fn machine(&self) -> &'static str {
        self.worker.machine()
    }

    fn status(&self) -> Status {
        self.worker.status()
    }

    fn queue(&self) -> usize {
        self.worker.queue()
    }

    fn tree(&self) -> Option<Tree> {
        self.tree.upgrade()
    }
}
