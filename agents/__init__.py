"""Who answers: the reply engine's protocol, the offline and the LLM engine, and how a user's own agent is loaded."""
