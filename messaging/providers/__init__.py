"""Built-in providers. Third parties register theirs by the entry-point group `messaging.providers`."""
