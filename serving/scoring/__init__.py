"""The one way to score: a verified release in, a decision out."""
