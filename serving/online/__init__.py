"""Where stored features are read inside the call: Feast's own tables in SQLite or hashes in Redis, without Feast."""
