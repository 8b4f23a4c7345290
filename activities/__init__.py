"""The side effects of a conversation. Ports come in by constructor; errors leave as Temporal's own."""
