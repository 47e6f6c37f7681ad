//! Where all stages file mistakes, so that one build shows all of them.

use std::cell::RefCell;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Error;

/// Collects mistakes. It must be finished: dropping it unfinished is a bug and panics, lest one be
/// forgotten.
pub(crate) struct Report {
    /// `None` once finished.
    errors: RefCell<Option<Vec<Error>>>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Report {
            errors: RefCell::new(Some(Vec::new())),
        }
    }

    pub(crate) fn push(&self, error: Error) {
        if let Some(errors) = self.errors.borrow_mut().as_mut() {
            // A mistake between two places was combined from two errors; each becomes its own.
            errors.extend(error);
        }
    }

    /// Files a mistake at a token.
    pub(crate) fn mistake(&self, at: Span, message: impl std::fmt::Display) {
        self.push(Error::new(at, message));
    }

    /// Ends the stages that may fail.
    pub(crate) fn finish(self) -> Result<(), Mistakes> {
        let mut errors = self.errors.take().unwrap_or_default().into_iter();
        match errors.next() {
            None => Ok(()),
            Some(first) => Err(Mistakes {
                first,
                others: errors.collect(),
            }),
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        assert!(
            self.errors.borrow().is_none() || std::thread::panicking(),
            "a report of mistakes was dropped unfinished"
        );
    }
}

/// At least one mistake.
pub(crate) struct Mistakes {
    first: Error,
    others: Vec<Error>,
}

impl Mistakes {
    /// All errors. The first is in the definition of a type called `name`, which makes it the one
    /// type about which rustc has nothing to say, whatever is done with it: the projection of a
    /// type whose length is an error.
    pub(crate) fn expand(&self, name: &Ident) -> TokenStream {
        let first = self.first.to_compile_error();
        let others = self.others.iter().map(Error::to_compile_error);
        quote! {
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            type #name = <[(); #first] as ::core::ops::Deref>::Target;
            #(#others)*
        }
    }
}
