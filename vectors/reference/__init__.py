"""A second implementation of the scheme, for the checker: Python and numpy, nothing shared with the Rust.

It is written from the definitions (docs/formats.md and the module documentation of tfhe-core), for reading rather
than for speed, and everything in it is exact: torus elements are integers mod 2^64, and where a product goes
through a floating-point transform or matrix product, operands are cut so small that rounding gives the exact
integer back.

Torus elements are numpy arrays of uint64, x standing for x / 2^64; an element of 32 or 48 bits has its last 32 or
16 bits zero. Arithmetic on them wraps, as it should.
"""
