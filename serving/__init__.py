"""Using a model. Never imports training."""
