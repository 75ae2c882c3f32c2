"""The command `tally`: composes the packages, imported by none of them."""
