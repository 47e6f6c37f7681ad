//! What users see: derives that compile, and the message of each mistake. The recorded messages are
//! those of the compiler in `rust-toolchain.toml`; `TRYBUILD=overwrite cargo test --test ui`
//! records them anew.

#[test]
fn machines_that_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    // The twins of the mistakes, each corrected as its message says.
    cases.pass("ui/pass/*/*.rs");
}

#[test]
fn mistakes_and_their_messages() {
    let cases = trybuild::TestCases::new();
    for stage in ["parse", "attribute", "model", "validate", "types"] {
        cases.compile_fail(format!("ui/{stage}/*.rs"));
    }
}
