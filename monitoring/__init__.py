"""Watching a model."""
