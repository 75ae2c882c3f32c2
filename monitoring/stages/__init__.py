"""One module per DVC stage that watches a model."""
