//! Nothing: the comparison is the benchmark `peers`.
