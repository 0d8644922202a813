"""What the vectors say, against the second implementation in `reference`: one module a vector file."""
