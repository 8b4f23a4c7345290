"""What is deterministic: the conversation, its flow of steps and the contracts of its activities."""
