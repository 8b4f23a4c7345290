"""The `messaging` command."""
