"""The record: every decision and governance event, durable before it is heard of, append-only, provable offline."""
