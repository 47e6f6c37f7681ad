//! The cases of OTP's own suite for gen_statem, under the names they have there, in statem's words.
//! RULES.md lists them all, also those that are not here, and why.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod abnormal;
mod enter;
mod line;
mod names;
mod order;
mod requests;
mod start;
mod stop;
mod support;
mod sys;
mod terminate;
mod timeouts;
