//! Links what espeak-rs-sys forgets: its C library calls libsonic but does not say so.

fn main() {
    println!("cargo:rustc-link-lib=dylib=sonic");
    println!("cargo:rerun-if-changed=build.rs");
}
