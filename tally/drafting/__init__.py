"""A first draft of a portfolio's contract from its raw files, and what a contract still lacks before it can run."""
