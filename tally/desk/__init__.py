"""The record's own API: its questions answered, and promotion by people who hold a token and no key, for whom this desk vouches."""
