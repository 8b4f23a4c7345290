"""The HTTP side: webhooks in, conversations and health out."""
