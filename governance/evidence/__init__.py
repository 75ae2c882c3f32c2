"""Evidence of a decision or a release, in one archive that anybody can read and check without us."""
