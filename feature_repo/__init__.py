"""What a column means. Imports nothing else of ours."""
