//! What statem uses of `std::sync` and `std::thread`.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

pub use shuttle::sync::{Mutex, MutexGuard, atomic};
use shuttle::thread::{AccessError, LocalKey};

/// `std::thread::LocalKey`: the checker's own has only `with` and `try_with`.
#[derive(Debug)]
pub struct Local<T: 'static>(LocalKey<T>);

impl<T: 'static> Local<T> {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(init: fn() -> T) -> Self {
        Local(LocalKey {
            init,
            _p: PhantomData,
        })
    }

    /// As `std::thread::LocalKey::try_with`.
    ///
    /// # Errors
    ///
    /// If the value was dropped.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        self.0.try_with(f)
    }
}

impl<T: 'static> Local<Cell<T>> {
    /// As `std::thread::LocalKey::get`.
    #[must_use]
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.0.with(Cell::get)
    }

    /// As `std::thread::LocalKey::set`.
    pub fn set(&'static self, value: T) {
        self.0.with(|cell| cell.set(value));
    }

    /// As `std::thread::LocalKey::take`.
    #[must_use]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.0.with(Cell::take)
    }

    /// As `std::thread::LocalKey::replace`.
    #[must_use]
    pub fn replace(&'static self, value: T) -> T {
        self.0.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> Local<RefCell<T>> {
    /// As `std::thread::LocalKey::with_borrow_mut`.
    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.0.with(|cell| f(&mut cell.borrow_mut()))
    }
}

/// As `std::thread_local`; a thread is a task of the checker.
#[macro_export]
macro_rules! local {
    ($($(#[$meta:meta])* static $name:ident: $type:ty = const { $init:expr };)+) => { $(
        $(#[$meta])*
        static $name: $crate::threads::Local<$type> = $crate::threads::Local::new(|| $init);
    )+ };
}

pub use local as thread_local;

/// A static that all threads share. Each schedule has one of its own.
#[macro_export]
macro_rules! common {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        $crate::threads::lazy_static! {
            $(#[$meta])*
            static ref $name: $type = $init;
        }
    };
}

pub use common as shared;
#[doc(hidden)]
pub use shuttle::lazy_static;
