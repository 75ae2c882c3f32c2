"""One module per DVC stage that makes a model."""
