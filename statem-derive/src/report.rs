//! Where all stages file mistakes, so that one build shows all of them.

use std::cell::{Cell, RefCell};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Error;

/// Collects mistakes. It must be finished: dropping it unfinished is a bug and panics, lest one be
/// forgotten.
pub(crate) struct Report {
    /// `None` once finished.
    errors: RefCell<Option<Vec<Error>>>,
    /// Whether there is a mistake that rustc reports.
    left: Cell<bool>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Report {
            errors: RefCell::new(Some(Vec::new())),
            left: Cell::new(false),
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

    /// Leaves a mistake to rustc, which reports it in the same build.
    pub(crate) fn leave(&self) {
        self.left.set(true);
    }

    /// How many errors there are, for telling whether a stage added some.
    pub(crate) fn count(&self) -> usize {
        self.errors.borrow().as_ref().map_or(0, Vec::len)
    }

    /// Ends the stages that may fail.
    pub(crate) fn finish(self) -> Result<(), Mistakes> {
        let errors = self.errors.take().unwrap_or_default();
        if errors.is_empty() && !self.left.get() {
            Ok(())
        } else {
            Err(Mistakes { errors })
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

/// At least one mistake, and the errors for those that rustc does not report.
pub(crate) struct Mistakes {
    errors: Vec<Error>,
}

impl Mistakes {
    /// Whether there are errors of ours, and not only such as rustc reports.
    pub(crate) fn are_ours(&self) -> bool {
        !self.errors.is_empty()
    }

    /// All errors. The first is in the definition of a type called `name`, which makes it the one
    /// type about which rustc has nothing to say, whatever is done with it: the projection of a
    /// type whose length is an error.
    pub(crate) fn expand(&self, name: &Ident) -> TokenStream {
        let mut errors = self.errors.iter().map(Error::to_compile_error);
        let first = errors.next().unwrap_or_else(|| quote!(0));
        quote! {
            #[doc(hidden)]
            #[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
            pub type #name = <[(); #first] as ::core::ops::Deref>::Target;
            #(#errors)*
        }
    }
}
