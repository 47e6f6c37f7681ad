//! Makes statem's `sync` choose the stand-ins, and names the features that are not here.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=statem_shuttle");
    println!(
        "cargo::rustc-check-cfg=cfg(feature, values(\"net\", \"serde\", \"tracing\", \"test-util\"))"
    );
}
