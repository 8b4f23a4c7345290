"""The provider-neutral messaging core: one model, one backend protocol, one error tree."""
