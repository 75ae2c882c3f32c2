"""From a verdict to somebody who acts: who is told of what, by when, through which exit, and once."""
