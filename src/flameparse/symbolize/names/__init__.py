"""Mangled names of C++, Rust, OCaml and Java to the ones people wrote."""
