"""What is remembered about a contact across conversations and channels, and what the knowledge base says."""
